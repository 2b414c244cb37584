// The posterior under any priors, from the embedded likelihood: the counterpart of kyphobayes/exact/posterior.py,
// with panels of lower order and a tolerance that suits numbers shown with three digits.

const ORDER = 8; // nodes of a panel
const COARSE = 4; // ... while the mass is looked for
const FOUND = 0.02; // error up to which the coarse panels tell where the mass is
// What is asked of a grid: the error of probabilities, by an estimate that is larger than what it estimates; the
// mass that is left out; the shares of the mass between which the panels are placed.
const FINE = { tolerance: 5e-5, empty: 1e-8, places: [1e-4, 0.02, 0.3, 0.7, 0.98, 1 - 1e-4] };
// For the studies at hand, whose effects cost a matrix for each of dozens of likelihoods.
const LIGHT = { tolerance: 2e-4, empty: 1e-6, places: [1e-3, 0.12, 0.88, 1 - 1e-3] };
const ROUNDS = 30;
const MOST_CELLS = 400000;
const GOOD = 1e-4; // error above which numbers are withheld

function decoded(text, Type) {
  const binary = atob(text),
    bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Type(bytes.buffer);
}

/** The log likelihood of (mu, tau) on its panels. */
class Surface {
  constructor({ mu, tau, order, top, peaks, values, errors }) {
    this.mu = new Panels(mu, order);
    this.tau = new Panels(tau, order);
    this.top = top;
    this.errors = decoded(errors, Float32Array);
    this.peaks = decoded(peaks, Float64Array); // of each cell, below the top
    this.values = Float64Array.from(decoded(values, Float32Array)); // below the cell's peak
    const n = this.tau.size,
      o = order;
    for (let i = 0; i < this.mu.size; i++) {
      for (let j = 0; j < n; j++) {
        this.values[i * n + j] += this.peaks[Math.floor(i / o) * this.tau.count + Math.floor(j / o)];
      }
    }
  }

  /** Interpolation at some places: the panel of each and its weights. */
  static weights(panels, x) {
    const { order } = panels,
      of = new Int32Array(x.length),
      weights = new Float64Array(x.length * order);
    for (let i = 0; i < x.length; i++) {
      of[i] = panels.locate(x[i]);
      lagrange(panels.place(x[i], of[i]), panels.rule, weights, i * order, 1);
    }
    return { of, weights };
  }

  /** Log likelihood below the top at (mu, tau), row by row, with the estimated error there. */
  at(mu, tau) {
    const rows = Surface.weights(this.mu, mu),
      columns = Surface.weights(this.tau, tau);
    const { order } = this.mu,
      n = this.tau.size,
      m = mu.length,
      t = tau.length;
    const found = new Float64Array(m * t),
      line = new Float64Array(n);
    const first = columns.of[0] * order,
      last = (columns.of[t - 1] + 1) * order;
    for (let i = 0; i < m; i++) {
      line.fill(0, first, last);
      for (let a = 0; a < order; a++) {
        const w = rows.weights[i * order + a],
          from = (rows.of[i] * order + a) * n;
        for (let j = first; j < last; j++) line[j] += w * this.values[from + j];
      }
      for (let j = 0; j < t; j++) {
        let total = 0;
        const from = columns.of[j] * order;
        for (let b = 0; b < order; b++) total += columns.weights[j * order + b] * line[from + b];
        // Where it falls off steeply it is not resolved: it must not be lifted up there.
        found[i * t + j] = Math.min(total, this.peaks[rows.of[i] * this.tau.count + columns.of[j]] + 5);
      }
    }
    return { values: found, error: (i, j) => this.errors[rows.of[i] * this.tau.count + columns.of[j]] };
  }

  /** The largest log likelihood over tau at each mu. */
  profile(mu) {
    const { values } = this.at(mu, this.tau.nodes),
      t = this.tau.size;
    return Float64Array.from(mu, (_, i) =>
      values.subarray(i * t, (i + 1) * t).reduce((a, b) => Math.max(a, b)),
    );
  }
}

function startEdges(panels, prior) {
  const [least, most] = support(prior);
  const low = Math.max(panels.low, least),
    high = Math.min(panels.high, most);
  if (!(low < high)) return null;
  const marks = landmarks(prior),
    close = 0.1 * ((marks[6] ?? 0) - (marks[2] ?? 0));
  const apart = marks.filter((x, i) => i === 0 || x - marks[i - 1] > close);
  return tidy([...panels.edges, ...apart, ...kinks(prior)], low, high);
}

function halved(panels, flags, first, last) {
  const edges = [];
  for (let p = first; p < last; p++) {
    edges.push(panels.edges[p]);
    if (flags[p]) edges.push((panels.edges[p] + panels.edges[p + 1]) / 2);
  }
  edges.push(panels.edges[last]);
  return edges;
}

/** Panels that hold something, with `spare` empty ones kept on either side. */
function full(mass, negligible, spare) {
  let first = 0,
    last = mass.length,
    below = 0,
    above = 0;
  while (first < last - 1 && below + mass[first] <= negligible) below += mass[first++];
  while (last > first + 1 && above + mass[last - 1] <= negligible) above += mass[--last];
  return [Math.max(0, first - spare), Math.min(mass.length, last + spare)];
}

/** Few panels that follow a density known on many: their edges are quantiles and the kinks of the prior. */
function placed(panels, values, mass, prior, { empty, places }) {
  const [first, last] = full(mass, empty, 0),
    low = panels.edges[first],
    high = panels.edges[last];
  const density = new Density(panels, values);
  return tidy([...places.map((q) => density.quantile(q)), ...kinks(prior)], low, high);
}

/** What a grid of (mu, tau) says: density, masses and errors. */
function gridded(surface, mu, tau, muLog, tauLog) {
  const m = mu.size,
    t = tau.size,
    found = surface.at(mu.nodes, tau.nodes),
    density = found.values;
  const a = Float64Array.from(mu.nodes, muLog),
    b = Float64Array.from(tau.nodes, tauLog);
  let top = -Infinity;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < t; j++) {
      const v = (density[i * t + j] += a[i] + b[j]);
      if (v > top) top = v;
    }
  const rows = new Float64Array(m),
    columns = new Float64Array(t);
  let interpolation = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < t; j++) {
      const v = density[i * t + j] - top;
      const d = (density[i * t + j] = v < -60 ? 0 : Math.exp(v));
      rows[i] += d * tau.weights[j];
      columns[j] += d * mu.weights[i];
      if (d > 1e-6) interpolation = Math.max(interpolation, d * found.error(i, j));
    }
  let total = 0;
  for (let i = 0; i < m; i++) total += rows[i] * mu.weights[i];
  const grid = { density, rows, columns, total, top, interpolation };
  grid.errorsMu = errorsAlong(mu, tau, grid, true);
  grid.errorsTau = errorsAlong(tau, mu, grid, false);
  grid.error = sum(grid.errorsMu) + sum(grid.errorsTau);
  return grid;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

const stopped = (trouble) => ({ error: Infinity, trouble });

/**
 * Posterior of (mu, tau).
 *
 * `error` estimates the relative error of probabilities; where it is large `trouble` says why, and nothing
 * that depends on it may be shown.
 */
function posteriorOf(surface, muPrior, tauPrior, asked = FINE) {
  const muLog = logDensity(muPrior),
    tauLog = logDensity(tauPrior);
  let muEdges = startEdges(surface.mu, muPrior),
    tauEdges = startEdges(surface.tau, tauPrior);
  if (!muEdges || !tauEdges)
    return stopped("the prior allows only values beyond those that this page carries");
  let order = COARSE,
    mu,
    tau,
    grid;
  for (let round = 0; ; round++) {
    mu = new Panels(muEdges, order);
    tau = new Panels(tauEdges, order);
    if (mu.size * tau.size > MOST_CELLS)
      return stopped("prior and data are too far apart for the grid of this page");
    grid = gridded(surface, mu, tau, muLog, tauLog);
    if (!(grid.total > 0)) return stopped("the prior leaves nothing where the likelihood is known");
    const massMu = mu.integrals(grid.rows).map((x) => x / grid.total),
      massTau = tau.integrals(grid.columns).map((x) => x / grid.total);
    if (order === COARSE && (grid.error <= FOUND || round >= ROUNDS / 2)) {
      muEdges = placed(mu, grid.rows, massMu, muPrior, asked);
      tauEdges = placed(tau, grid.columns, massTau, tauPrior, asked);
      order = ORDER;
      continue;
    }
    const tolerance = order === COARSE ? FOUND : asked.tolerance;
    const roughMu = grid.errorsMu.map((e) => e > tolerance / 2 / mu.count),
      roughTau = grid.errorsTau.map((e) => e > tolerance / 2 / tau.count);
    if (grid.error <= tolerance || !(roughMu.some(Boolean) || roughTau.some(Boolean)) || round >= ROUNDS)
      break;
    // A peak that no node has seen yet lies beside the highest: its panel may look empty.
    const spare = order === COARSE ? 1 : 0;
    const [a, b] = full(massMu, asked.empty, spare),
      [c, d] = full(massTau, asked.empty, spare);
    if (spare) {
      roughMu[a] = roughMu[b - 1] = 1;
      roughTau[c] = roughTau[d - 1] = 1;
    }
    muEdges = halved(mu, roughMu, a, b);
    tauEdges = halved(tau, roughTau, c, d);
  }
  for (let cut = 0; cut < (asked.cuts ?? 0); cut++) {
    mu = new Panels(halved(mu, new Array(mu.count).fill(true), 0, mu.count), order);
    grid = gridded(surface, mu, tau, muLog, tauLog);
  }
  const made = settled(surface, muPrior, tauPrior, mu, tau, grid);
  if (!(made.error <= 2 * asked.tolerance) && !made.trouble)
    made.trouble = "the likelihood that this page carries is too coarse where this prior puts the posterior";
  return made;
}

/**
 * Errors of the panels of one axis, integrated over the other one.
 *
 * What is left out after the last Legendre coefficient c adds at most c times width / (2 order - 1) to a
 * probability, because the integral of P_n is (P_{n+1} - P_{n-1}) / (2n + 1).
 */
function errorsAlong(panels, others, { density, total }, isMu) {
  const { order, count } = panels,
    { transform } = panels.rule,
    t = isMu ? others.size : panels.size;
  const found = new Float64Array(count),
    last = (order - 1) * order,
    before = (order - 2) * order;
  for (let k = 0; k < others.size; k++) {
    for (let p = 0; p < count; p++) {
      let x = 0,
        y = 0;
      for (let j = 0; j < order; j++) {
        const i = p * order + j,
          v = density[isMu ? i * t + k : k * t + i];
        x += transform[last + j] * v;
        y += transform[before + j] * v;
      }
      found[p] += Math.max(Math.abs(x), Math.abs(y)) * others.weights[k];
    }
  }
  return found.map((e, p) => (e * panels.width(p)) / (2 * order - 1) / total);
}

function settled(surface, muPrior, tauPrior, mu, tau, grid) {
  const { density, rows, columns, total, top } = grid,
    m = mu.size,
    t = tau.size;
  const joint = new Float64Array(m * t); // probability of each cell
  for (let i = 0; i < m; i++)
    for (let j = 0; j < t; j++)
      joint[i * t + j] = (density[i * t + j] * mu.weights[i] * tau.weights[j]) / total;
  // What lies beyond an edge of the surface, were the density to fall off no faster than over the reach so far.
  const [least, most] = support(muPrior),
    furthest = support(tauPrior)[1];
  const across = (mu.high - mu.low) / total,
    along = (tau.high - tau.low) / total;
  let outside = 0;
  if (mu.low <= surface.mu.low && least < mu.low) outside += rows[0] * across;
  if (mu.high >= surface.mu.high && most > mu.high) outside += rows[m - 1] * across;
  if (tau.high >= surface.tau.high && furthest > tau.high) outside += columns[t - 1] * along;
  const priorMass = muPrior.proper && tauPrior.proper;
  return {
    priors: { mu: muPrior, tau: tauPrior },
    mu: new Density(mu, rows),
    tau: new Density(tau, columns),
    muPanels: mu,
    tauPanels: tau,
    joint,
    logMarginal: surface.top + top + Math.log(total),
    comparable: priorMass,
    error: grid.error + grid.interpolation + outside,
    trouble:
      outside > GOOD
        ? "much of the posterior lies beyond the values of mu and tau that this page carries: make the priors narrower"
        : "",
  };
}
