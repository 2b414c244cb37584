// Families of priors, with the names and parameters of kyphobayes/families.

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** Logarithm of the gamma function: Lanczos's series with g = 7 and nine terms. */
function logGamma(x) {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  let total = terms[0];
  for (let i = 1; i < 9; i++) total += terms[i] / (x - 1 + i);
  const t = x + 6.5;
  return HALF_LOG_2PI + (x - 0.5) * Math.log(t) - t + Math.log(total);
}

const normalLog = ({ mu, sigma }) => {
  const c = -Math.log(sigma) - HALF_LOG_2PI;
  return (x) => c - 0.5 * ((x - mu) / sigma) ** 2;
};
const studentLog = ({ nu, mu, sigma }) => {
  const c = logGamma((nu + 1) / 2) - logGamma(nu / 2) - 0.5 * Math.log(nu * Math.PI) - Math.log(sigma);
  return (x) => c - ((nu + 1) / 2) * Math.log1p(((x - mu) / sigma) ** 2 / nu);
};
const cauchyLog = ({ alpha, beta }) => {
  const c = -Math.log(Math.PI * beta);
  return (x) => c - Math.log1p(((x - alpha) / beta) ** 2);
};
const logisticLog =
  ({ mu, s }) =>
  (x) => {
    const z = Math.abs((x - mu) / s);
    return -z - Math.log(s) - 2 * Math.log1p(Math.exp(-z));
  };
const half = (log) => (p) => {
  const f = log({ ...p, mu: 0, alpha: 0 });
  return (x) => f(x) + Math.LN2;
};
const exponential = (rate) => (x) => Math.log(rate) - rate * x;
const ofLog = (log) => (p) => {
  const f = log(p);
  return (x) => (x > 0 ? f(Math.log(x)) - Math.log(x) : -Infinity);
};

// parameters: names in order, with defaults (null where one must be given); positive, unit: what they must be;
// log: from parameters to the log density; location, scale, shape: parameters that the sliders move.
const MU_FAMILIES = {
  Normal: {
    parameters: { mu: 0, sigma: 1 },
    positive: ["sigma"],
    log: normalLog,
    location: "mu",
    scale: "sigma",
  },
  StudentT: {
    parameters: { nu: null, mu: 0, sigma: 1 },
    positive: ["nu", "sigma"],
    log: studentLog,
    location: "mu",
    scale: "sigma",
    shape: ["nu", 4, 1, 100],
  },
  Cauchy: {
    parameters: { alpha: 0, beta: 1 },
    positive: ["beta"],
    log: cauchyLog,
    location: "alpha",
    scale: "beta",
  },
  Laplace: {
    parameters: { mu: 0, b: 1 },
    positive: ["b"],
    location: "mu",
    scale: "b",
    kinks: ({ mu }) => [mu],
    log:
      ({ mu, b }) =>
      (x) =>
        -Math.abs(x - mu) / b - Math.log(2 * b),
  },
  Logistic: { parameters: { mu: 0, s: 1 }, positive: ["s"], log: logisticLog, location: "mu", scale: "s" },
  Uniform: {
    parameters: { lower: 0, upper: 1 },
    ordered: true,
    support: ({ lower, upper }) => [lower, upper],
    log:
      ({ lower, upper }) =>
      () =>
        -Math.log(upper - lower),
  },
  Flat: { parameters: {}, improper: true, log: () => () => 0 },
};

const LARGEST_RATE = ({ U, alpha }) => -Math.log(alpha) / U;
const TAU_FAMILIES = {
  HalfNormal: { parameters: { sigma: 1 }, positive: ["sigma"], log: half(normalLog), scale: "sigma" },
  HalfCauchy: { parameters: { beta: 1 }, positive: ["beta"], log: half(cauchyLog), scale: "beta" },
  HalfStudentT: {
    parameters: { nu: 1, sigma: 1 },
    positive: ["nu", "sigma"],
    log: half(studentLog),
    scale: "sigma",
    shape: ["nu", 4, 1, 100],
  },
  HalfLogistic: { parameters: { s: 1 }, positive: ["s"], log: half(logisticLog), scale: "s" },
  Exponential: { parameters: { lam: 1 }, positive: ["lam"], log: ({ lam }) => exponential(lam), rate: "lam" },
  Uniform: MU_FAMILIES.Uniform,
  LogNormal: {
    parameters: { mu: 0, sigma: 1 },
    positive: ["sigma"],
    log: ofLog(normalLog),
    logScale: "mu",
    shape: ["sigma", 1, 0.1, 3],
  },
  LogStudentT: {
    parameters: { nu: null, mu: 0, sigma: 1 },
    positive: ["nu", "sigma"],
    log: ofLog(studentLog),
    logScale: "mu",
    shape: ["sigma", 1, 0.1, 3],
    given: { nu: 5 },
  },
  Gamma: {
    parameters: { alpha: null, beta: null },
    positive: ["alpha", "beta"],
    rate: "beta",
    shape: ["alpha", 2, 0.5, 20],
    log: ({ alpha, beta }) => {
      const c = alpha * Math.log(beta) - logGamma(alpha);
      return (x) => c + (alpha === 1 ? 0 : (alpha - 1) * Math.log(x)) - beta * x;
    },
  },
  InverseGamma: {
    parameters: { alpha: null, beta: 1 },
    positive: ["alpha", "beta"],
    scale: "beta",
    shape: ["alpha", 2, 0.5, 20],
    log: ({ alpha, beta }) => {
      const c = alpha * Math.log(beta) - logGamma(alpha);
      return (x) => (x > 0 ? c - (alpha + 1) * Math.log(x) - beta / x : -Infinity);
    },
  },
  Weibull: {
    parameters: { alpha: null, beta: null },
    positive: ["alpha", "beta"],
    scale: "beta",
    shape: ["alpha", 2, 0.5, 10],
    log:
      ({ alpha, beta }) =>
      (x) => {
        const z = x / beta;
        return Math.log(alpha / beta) + (alpha === 1 ? 0 : (alpha - 1) * Math.log(z)) - z ** alpha;
      },
  },
  Lomax: {
    parameters: { alpha: 1, beta: 1 },
    positive: ["alpha", "beta"],
    scale: "beta",
    shape: ["alpha", 2, 0.5, 20],
    log:
      ({ alpha, beta }) =>
      (x) =>
        Math.log(alpha / beta) - (alpha + 1) * Math.log1p(x / beta),
  },
  Rayleigh: {
    parameters: { sigma: 1 },
    positive: ["sigma"],
    scale: "sigma",
    log:
      ({ sigma }) =>
      (x) =>
        Math.log(x) - 2 * Math.log(sigma) - 0.5 * (x / sigma) ** 2,
  },
  PC: {
    parameters: { U: null, alpha: null },
    positive: ["U"],
    unit: ["alpha"],
    scale: "U",
    shape: ["alpha", 0.05, 0.001, 0.5],
    log: (p) => exponential(LARGEST_RATE(p)),
  },
  HalfFlat: { parameters: {}, improper: true, log: () => () => 0 },
  FlatSqrt: { parameters: {}, improper: true, log: () => (x) => -0.5 * Math.log(x) },
};

/** Priors of tau that the standard errors of the studies define: kyphobayes/families/studies.py has the formulas. */
function studyFamilies(errors) {
  const k = errors.length,
    squares = errors.map((s) => s * s);
  const total = (f) => squares.reduce((sum, s2) => sum + f(s2), 0);
  const inverse = total((s2) => 1 / s2);
  const harmonic = Math.sqrt(k / inverse);
  const typical = Math.sqrt(((k - 1) * inverse) / (inverse ** 2 - total((s2) => 1 / s2 ** 2)));
  const jeffreys = (x) => Math.log(x) + 0.5 * Math.log(total((s2) => (s2 + x * x) ** -2));
  const logs = (x) => total((s2) => Math.log(s2 + x * x)) / k;
  const shrinkage = (s) => () => (x) =>
    Math.log(x) + Math.LN2 + 2 * Math.log(s) - 2 * Math.log(x * x + s * s);
  const conventional = (x) => Math.log(x) - 1.5 * logs(x);
  let constant = 0; // by the trapezoid rule in log tau, which is exact for such a function
  const middle = Math.log(harmonic),
    step = 0.05;
  for (let u = middle - 40; u < middle + 60; u += step)
    constant += step * Math.exp(u + conventional(Math.exp(u)));
  const family = (log, improper) => ({ parameters: {}, improper, log, median: harmonic });
  return {
    Jeffreys: family(() => jeffreys, true),
    OverallJeffreys: family(() => (x) => jeffreys(x) + 0.5 * Math.log(total((s2) => 1 / (s2 + x * x))), true),
    BergerDeely: family(() => (x) => Math.log(x) - logs(x), true),
    Conventional: family(() => (x) => conventional(x) - Math.log(constant), false),
    DuMouchel: family(() => (x) => Math.log(harmonic) - 2 * Math.log(harmonic + x), false),
    UniformShrinkage: family(shrinkage(harmonic), false),
    ...(k > 1 ? { UniformI2: family(shrinkage(typical), false) } : {}),
  };
}
