// Piecewise polynomials on Gauss-Legendre panels: the counterpart of kyphobayes/exact/panels.py.

const RULES = new Map();

/** Nodes, weights, barycentric weights and the values-to-Legendre-coefficients matrix on [-1, 1]. */
function rule(order) {
  if (RULES.has(order)) return RULES.get(order);
  const nodes = new Float64Array(order),
    weights = new Float64Array(order);
  for (let i = 0; i < order; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (order + 0.5)),
      slope = 1;
    for (let step = 0; step < 60; step++) {
      const p = legendre(x, order + 1);
      slope = (order * (x * p[order] - p[order - 1])) / (x * x - 1);
      const move = p[order] / slope;
      x -= move;
      if (Math.abs(move) < 1e-16) break;
    }
    const p = legendre(x, order + 1);
    slope = (order * (x * p[order] - p[order - 1])) / (x * x - 1);
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  // Berrut and Trefethen (2004), eq. 5.3.
  const barycentric = nodes.map((x, j) => (j % 2 ? -1 : 1) * Math.sqrt((1 - x * x) * weights[j]));
  const transform = new Float64Array(order * order);
  for (let j = 0; j < order; j++) {
    const p = legendre(nodes[j], order);
    for (let degree = 0; degree < order; degree++) {
      transform[degree * order + j] = (degree + 0.5) * p[degree] * weights[j];
    }
  }
  const made = { order, nodes, weights, barycentric, transform };
  RULES.set(order, made);
  return made;
}

/** Legendre polynomials of degree 0, ..., count - 1 at x. */
function legendre(x, count) {
  const p = new Float64Array(Math.max(count, 2));
  p[0] = 1;
  p[1] = x;
  for (let n = 1; n + 1 < count; n++) p[n + 1] = ((2 * n + 1) * x * p[n] - n * p[n - 1]) / (n + 1);
  return p;
}

/** Weights that interpolate values at the reference nodes to x, written into `out` from `at` on, times `factor`. */
function lagrange(x, reference, out, at, factor) {
  const { order, nodes, barycentric } = reference;
  let total = 0;
  for (let j = 0; j < order; j++) {
    const difference = x - nodes[j];
    if (difference === 0) {
      out.fill(0, at, at + order);
      out[at + j] = factor;
      return;
    }
    total += out[at + j] = barycentric[j] / difference;
  }
  const scaled = factor / total;
  for (let j = 0; j < order; j++) out[at + j] *= scaled;
}

/** An interval cut at increasing edges, with `order` nodes in each piece. */
class Panels {
  constructor(edges, order) {
    this.edges = Float64Array.from(edges);
    this.rule = rule(order);
    this.order = order;
    this.count = this.edges.length - 1;
    this.size = this.count * order;
    this.nodes = new Float64Array(this.size);
    this.weights = new Float64Array(this.size);
    for (let p = 0; p < this.count; p++) {
      const half = (this.edges[p + 1] - this.edges[p]) / 2,
        centre = (this.edges[p + 1] + this.edges[p]) / 2;
      for (let j = 0; j < order; j++) {
        this.nodes[p * order + j] = centre + half * this.rule.nodes[j];
        this.weights[p * order + j] = half * this.rule.weights[j];
      }
    }
  }

  get low() {
    return this.edges[0];
  }

  get high() {
    return this.edges[this.count];
  }

  width(p) {
    return this.edges[p + 1] - this.edges[p];
  }

  /** Panel that holds x, which is taken into the interval. */
  locate(x) {
    let low = 0,
      high = this.count;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.edges[middle] <= x) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Place of x in panel p, on [-1, 1]. */
  place(x, p) {
    const place = (2 * (x - this.edges[p])) / this.width(p) - 1;
    return Math.min(1, Math.max(-1, place));
  }

  /** Estimate of the integration error of `values` on each panel: its last two Legendre coefficients. */
  tails(values) {
    const { order } = this,
      { transform } = this.rule,
      found = new Float64Array(this.count);
    for (let p = 0; p < this.count; p++) {
      let last = 0,
        before = 0;
      for (let j = 0; j < order; j++) {
        last += transform[(order - 1) * order + j] * values[p * order + j];
        before += transform[(order - 2) * order + j] * values[p * order + j];
      }
      found[p] = Math.max(Math.abs(last), Math.abs(before)) * this.width(p);
    }
    return found;
  }

  /** Integral of `values` over each panel. */
  integrals(values) {
    const found = new Float64Array(this.count);
    for (let i = 0; i < this.size; i++) found[Math.floor(i / this.order)] += this.weights[i] * values[i];
    return found;
  }
}

/** Increasing edges without those closer together than a share of the whole; both ends stay. */
function tidy(edges, low, high) {
  const inside = edges.filter((x) => x > low && x < high).sort((a, b) => a - b);
  const kept = [low];
  const close = 1e-12 * (high - low);
  for (const x of inside) if (x - kept[kept.length - 1] > Math.max(close, 1e-9 * Math.abs(x))) kept.push(x);
  if (high - kept[kept.length - 1] <= close && kept.length > 1) kept.pop();
  kept.push(high);
  return kept;
}

/** A density known at the nodes of panels, normalised to one. */
class Density {
  constructor(panels, values) {
    this.panels = panels;
    let total = 0;
    for (let i = 0; i < panels.size; i++) total += panels.weights[i] * Math.max(values[i], 0);
    this.total = total;
    this.values = values.map((v) => Math.max(v, 0) / total);
    this.cumulative = new Float64Array(panels.count + 1);
    const masses = panels.integrals(this.values);
    for (let p = 0; p < panels.count; p++) this.cumulative[p + 1] = this.cumulative[p] + masses[p];
  }

  mean(f) {
    const { panels } = this;
    let total = 0;
    for (let i = 0; i < panels.size; i++) total += panels.weights[i] * this.values[i] * f(panels.nodes[i]);
    return total;
  }

  /** Share of the mean of f that the outermost panels hold: large where the mean is not resolved, or infinite. */
  outerShare(f) {
    const { panels } = this,
      { order, size } = panels;
    let outer = 0,
      total = 0;
    for (let i = 0; i < size; i++) {
      const part = Math.abs(panels.weights[i] * this.values[i] * f(panels.nodes[i]));
      total += part;
      if (i < order || i >= size - order) outer += part;
    }
    return total > 0 ? outer / total : 0;
  }

  coefficients(p) {
    const { order } = this.panels,
      { transform } = this.panels.rule,
      found = new Float64Array(order);
    for (let n = 0; n < order; n++) {
      for (let j = 0; j < order; j++) found[n] += transform[n * order + j] * this.values[p * order + j];
    }
    return found;
  }

  pdf(x) {
    const { panels } = this;
    if (x < panels.low || x > panels.high) return 0;
    const p = panels.locate(x),
      c = this.coefficients(p),
      polynomials = legendre(panels.place(x, p), c.length);
    let total = 0;
    for (let n = 0; n < c.length; n++) total += c[n] * polynomials[n];
    return Math.max(total, 0);
  }

  /** Integral of the panel's polynomial from its left end to the place x. */
  static within(coefficients, x, half) {
    const p = legendre(x, coefficients.length + 1);
    let total = coefficients[0] * (x + 1);
    for (let n = 1; n < coefficients.length; n++)
      total += (coefficients[n] * (p[n + 1] - p[n - 1])) / (2 * n + 1);
    return half * total;
  }

  cdf(x) {
    const { panels } = this;
    if (x <= panels.low) return 0;
    if (x >= panels.high) return 1;
    const p = panels.locate(x);
    const found =
      this.cumulative[p] + Density.within(this.coefficients(p), panels.place(x, p), panels.width(p) / 2);
    return Math.min(1, Math.max(0, found));
  }

  quantile(q) {
    const { panels, cumulative } = this;
    let p = 0;
    while (p < panels.count - 1 && cumulative[p + 1] < q) p++;
    const c = this.coefficients(p),
      half = panels.width(p) / 2;
    let low = -1,
      high = 1,
      x = 0;
    for (let step = 0; step < 60 && high - low > 1e-12; step++) {
      const excess = cumulative[p] + Density.within(c, x, half) - q;
      if (excess < 0) low = x;
      else high = x;
      const polynomials = legendre(x, c.length);
      let slope = 0;
      for (let n = 0; n < c.length; n++) slope += half * c[n] * polynomials[n];
      const next = x - excess / slope;
      if (next > low && next < high) {
        if (Math.abs(next - x) < 1e-11) break;
        x = next;
      } else x = (low + high) / 2;
    }
    return panels.edges[p] + half * (x + 1);
  }
}
