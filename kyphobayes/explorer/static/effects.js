// The effects of the next study and of the studies at hand: the counterpart of kyphobayes/exact/population.py.

const INNER = 12; // nodes of the rule for panels that do not resolve a kernel
const PIECE = 6; // ... on pieces of so many of its standard deviations
const REACH = 7; // standard deviations of the kernel that count
const WIDE = 2.5; // kernel standard deviations beyond which a panel's own nodes do not resolve the kernel
const scratch = new Float64Array(64);

/** Where the effects of studies lie: the panels of mu, wider ones as far as the kernel reaches, and narrow studies. */
function effectEdges(post, pieces) {
  const { muPanels: mu, tauPanels: tau } = post,
    masses = columnMasses(post),
    reach = mu.high - mu.low,
    edges = [...mu.edges];
  let far = 0,
    above = 0;
  for (let j = tau.size - 1; j >= 0 && !far; j--) if ((above += masses[j]) > FINE.empty) far = tau.nodes[j];
  let step = reach / 6;
  for (; step < Math.max(reach, REACH * far); step *= 2) edges.push(mu.low - step, mu.high + step);
  const low = mu.low - step,
    high = mu.high + step;
  for (const { centre, scale } of pieces) {
    for (const z of [-6, -4, -2, 0, 2, 4, 6]) {
      const x = centre + z * scale;
      if (x > low && x < high && !edges.some((e) => Math.abs(e - x) < scale)) edges.push(x);
    }
  }
  return tidy(edges, low, high);
}

function columnMasses({ muPanels: mu, tauPanels: tau, joint }) {
  const masses = new Float64Array(tau.size);
  for (let i = 0; i < mu.size; i++) for (let j = 0; j < tau.size; j++) masses[j] += joint[i * tau.size + j];
  return masses;
}

/**
 * Weights that integrate N(x; ., s) times a function over the panels first to last - 1, for values at their nodes.
 *
 * On a panel too wide for its nodes to resolve the kernel, the part within the kernel's reach is integrated by
 * a rule of its own, with the panel's polynomial. They are written into `out`; what is returned are the first
 * panel within reach and the one behind the last.
 */
function kernelWeights(panels, first, last, x, s, reach, out) {
  const { order, edges, nodes, weights } = panels,
    constant = 1 / (s * Math.sqrt(2 * Math.PI)),
    inner = rule(INNER);
  const from = Math.max(first, panels.locate(x - reach * s)),
    to = Math.min(last, panels.locate(x + reach * s) + 1);
  for (let p = from; p < to; p++) {
    const at = p * order;
    if (edges[p + 1] - edges[p] <= WIDE * s) {
      for (let i = at; i < at + order; i++) {
        const z = (x - nodes[i]) / s;
        out[i] = constant * weights[i] * Math.exp(-0.5 * z * z);
      }
      continue;
    }
    for (let i = at; i < at + order; i++) out[i] = 0;
    const low = Math.max(edges[p], x - reach * s),
      high = Math.min(edges[p + 1], x + reach * s);
    if (low >= high) continue;
    const cuts = Math.ceil((high - low) / (PIECE * s)),
      half = (high - low) / cuts / 2;
    for (let cut = 0; cut < cuts; cut++) {
      const centre = low + (2 * cut + 1) * half;
      for (let g = 0; g < INNER; g++) {
        const place = centre + half * inner.nodes[g],
          z = (x - place) / s;
        const w = constant * half * inner.weights[g] * Math.exp(-0.5 * z * z);
        lagrange(panels.place(place, p), panels.rule, scratch, 0, w);
        for (let j = 0; j < order; j++) out[at + j] += scratch[j];
      }
    }
  }
  return [from * order, Math.max(from, to) * order];
}

/** Log likelihood of one study at theta, by the kind of its data. */
const LIKELIHOODS = {
  binomial:
    ({ events, n, constant }) =>
    (x) =>
      events * x - n * (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))) + constant,
  poisson:
    ({ events, exposure, constant }) =>
    (x) =>
      events * x - exposure * Math.exp(Math.min(x, 500)) + constant,
  normal:
    ({ y, se, constant }) =>
    (x) =>
      -0.5 * ((x - y) / se) ** 2 + constant,
};

/**
 * Densities of the effect of the next study and, if `withStudies`, of the studies at hand.
 *
 * Given tau, two matrices: `outward` integrates over mu at every theta, `inward` over theta at every mu. The second
 * gives each study's integrated likelihood, by which its own contribution is taken out of the posterior; the
 * first then gives what the others say of its effect. Each density must integrate to one, which tells the error.
 */
function effects(post, data, withStudies) {
  const pieces = withStudies ? data.pieces : [];
  let found = effectsOn(new Panels(effectEdges(post, pieces), ORDER), post, data, pieces, withStudies);
  for (
    let round = 0;
    round < 4 && Math.max(found.error, found.studyError) > FINE.tolerance && found.rough.some(Boolean);
    round++
  ) {
    const { panels } = found.next;
    found = effectsOn(
      new Panels(halved(panels, found.rough, 0, panels.count), ORDER),
      post,
      data,
      pieces,
      withStudies,
    );
  }
  return found;
}

function effectsOn(theta, post, data, pieces, withStudies) {
  const { muPanels: mu, tauPanels: tau, joint } = post,
    t = tau.size,
    n = theta.size,
    width = mu.size;
  const next = new Float64Array(n),
    own = withStudies ? data.labels.map(() => new Float64Array(n)) : [];
  const likelihoods = pieces.map((piece) => new Likelihood(LIKELIHOODS[data.kind](piece), theta.nodes));
  const outward = new Float64Array(n * width),
    ends = new Int32Array(2 * n),
    weight = new Float64Array(width);
  const inward = withStudies ? new Float64Array(n * width) : null,
    inwardEnds = new Int32Array(2 * width);
  const row = new Float64Array(Math.max(n, width)),
    masses = columnMasses(post),
    empty = 1e-6;
  for (let j = 0; j < t; j++) {
    if (masses[j] < empty / t) continue;
    const s = tau.nodes[j],
      columnMass = new Float64Array(mu.count);
    for (let i = 0; i < width; i++) columnMass[Math.floor(i / ORDER)] += weight[i] = joint[i * t + j];
    const [a, b] = full(columnMass, empty / t, 0);
    const reach =
      REACH + (withStudies ? pulled(likelihoods, theta.nodes, (mu.edges[a] + mu.edges[b]) / 2, s) : 0);
    const low = theta.locate(mu.edges[a] - reach * s),
      high = theta.locate(mu.edges[b] + reach * s) + 1;
    const column = { from: a * ORDER, to: b * ORDER, start: low * ORDER, end: high * ORDER };
    for (let x = column.start; x < column.end; x++) {
      const [first, last] = kernelWeights(mu, a, b, theta.nodes[x], s, reach, row);
      let total = 0;
      for (let i = first; i < last; i++) {
        const w = (outward[x * width + i] = row[i] / mu.weights[i]); // cells hold probabilities, not densities
        total += w * weight[i];
      }
      next[x] += total;
      ends[2 * x] = first;
      ends[2 * x + 1] = last;
    }
    if (!withStudies) continue;
    for (let i = column.from; i < column.to; i++) {
      const [first, last] = kernelWeights(theta, low, high, mu.nodes[i], s, reach, row);
      for (let x = first; x < last; x++) inward[i * n + x] = row[x];
      inwardEnds[2 * i] = first;
      inwardEnds[2 * i + 1] = last;
    }
    addStudies(data, likelihoods, own, weight, column, { outward, ends, width }, { inward, inwardEnds, n });
  }
  const density = new Density(theta, next),
    studies = own.map((values) => new Density(theta, values));
  const all = [density, ...studies],
    errors = all.map((d) => theta.tails(d.values).map((e) => e / (2 * ORDER - 1)));
  const rough = Array.from({ length: theta.count }, (_, p) =>
    errors.some((e) => e[p] > FINE.tolerance / theta.count),
  );
  const worst = all.map((d, i) => Math.abs(d.total - 1) + sum(errors[i]));
  return { next: density, studies, rough, error: worst[0], studyError: Math.max(0, ...worst.slice(1)) };
}

/**
 * Densities of the effects of the studies at hand, and their error; null where there are none to be trusted.
 *
 * Where prior and data are in conflict a study's likelihood changes by orders of magnitude within a panel: the
 * panels are then halved until the densities integrate to one.
 */
function studyEffects(surface, { mu, tau }, data) {
  for (let cuts = 0; cuts < 4; cuts++) {
    const post = posteriorOf(surface, mu, tau, { ...LIGHT, cuts });
    if (post.trouble) return null;
    const found = effects(post, data, true);
    if (found.studyError <= GOOD) return found.studies;
  }
  return null;
}

/** By how many standard deviations at most a study pulls its effect away from mu; beyond 25 numbers would vanish. */
function pulled(likelihoods, theta, mu, s) {
  let most = 0;
  for (const { logs } of likelihoods) {
    let best = -Infinity,
      place = 0;
    for (let x = 0; x < theta.length; x++) {
      const z = (theta[x] - mu) / s,
        v = logs[x] - 0.5 * z * z;
      if (v > best) [best, place] = [v, Math.abs(z)];
    }
    most = Math.max(most, place);
  }
  return Math.min(most, 25);
}

/** Add what one column of the grid, one value of tau, says of the effects of the studies at hand. */
function addStudies(
  data,
  likelihoods,
  own,
  weight,
  { from, to, start, end },
  { outward, ends, width },
  { inward, inwardEnds, n },
) {
  const offsets = likelihoods.map((l) => l.within(start, end));
  const integrated = likelihoods.map(({ values }) => {
    const sums = new Float64Array(width);
    for (let i = from; i < to; i++) {
      let total = 0;
      for (let x = inwardEnds[2 * i], last = inwardEnds[2 * i + 1], at = i * n; x < last; x++)
        total += inward[at + x] * values[x];
      sums[i] = total;
    }
    return sums;
  });
  const shares = tableShares(data, integrated, offsets, from, to),
    without = new Float64Array(width);
  data.owner.forEach((study, c) => {
    const sums = integrated[c],
      { values } = likelihoods[c],
      target = own[study];
    let mass = 0;
    for (let i = from; i < to; i++) {
      const w = weight[i] * (shares ? shares[c][i] : 1);
      without[i] = sums[i] > 0 ? w / sums[i] : 0;
      mass += w;
    }
    if (mass < 1e-9) return;
    for (let x = start; x < end; x++) {
      let total = 0;
      for (let i = ends[2 * x], last = ends[2 * x + 1], at = x * width; i < last; i++)
        total += outward[at + i] * without[i];
      target[x] += total * values[x];
    }
  });
}

/** Likelihood of one study at the nodes of theta, scaled so that it does not vanish over all of a column. */
class Likelihood {
  constructor(log, nodes) {
    this.logs = Float64Array.from(nodes, log);
    this.top = this.offset = this.logs.reduce((a, b) => Math.max(a, b));
    this.values = this.logs.map((v) => Math.exp(v - this.top));
  }

  /** Log of the scale of `values` that suits a part of the nodes. */
  within(start, end) {
    let top = -Infinity;
    for (let x = start; x < end; x++) top = Math.max(top, this.logs[x]);
    const suits = top > this.top - 200 ? this.top : top;
    if (suits !== this.offset) this.values = this.logs.map((v) => Math.exp(Math.min(v - suits, 300)));
    return (this.offset = suits);
  }
}

/** Probability, at each mu of a column, that the table is one with this piece; null where there is one table. */
function tableShares({ tables, logWeights, pieces }, integrated, offsets, from, to) {
  if (tables.length === 1) return null;
  const logs = integrated.map((sums, c) => sums.map((s) => (s > 0 ? Math.log(s) : -1e300) + offsets[c]));
  const shares = pieces.map((_, c) => new Float64Array(integrated[c].length)),
    weight = new Float64Array(tables.length);
  for (let i = from; i < to; i++) {
    let top = -Infinity,
      total = 0;
    tables.forEach((row, r) => {
      let found = logWeights[r];
      for (const c of row) found += logs[c][i];
      weight[r] = found;
      top = Math.max(top, found);
    });
    for (let r = 0; r < tables.length; r++) total += weight[r] = Math.exp(weight[r] - top);
    tables.forEach((row, r) => {
      for (const c of row) shares[c][i] += weight[r] / total;
    });
  }
  return shares;
}

/** Probabilities of 0, ..., n events among the next n. */
function nextEvents({ panels, values }, n) {
  const found = new Float64Array(n + 1);
  const choose = found.map((_, y) => logGamma(n + 1) - logGamma(y + 1) - logGamma(n - y + 1));
  for (let i = 0; i < panels.size; i++) {
    const x = panels.nodes[i],
      mass = panels.weights[i] * values[i];
    if (mass < 1e-10) continue;
    const log = Math.log(mass) - n * (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
    for (let y = 0; y <= n; y++) found[y] += Math.exp(choose[y] + y * x + log);
  }
  const total = sum(found);
  return found.map((p) => p / total);
}
