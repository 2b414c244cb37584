// Priors as values: their text, density and support, and what the sliders move.

const WRAPPERS = ["Truncated", "Tau2", "Mixture"];

/** Shortest text of a number, as Python writes it. */
const shortest = (x) => String(x).replace(/e([+-])(\d)$/, "e$10$2");

/** A prior of mu or of tau, with its density and what quadrature must know of it. */
class Prior {
  constructor(name, values, family, inside = {}) {
    Object.assign(this, { name, values, family, inside });
    this.proper = inside.dist ? inside.dist.proper : inside.parts ? true : !family.improper;
  }

  get text() {
    if (this.inside.parts) {
      return `Mixture(${this.inside.parts.map(([w, prior]) => `${shortest(w)}*${prior.text}`).join(" + ")})`;
    }
    const shown = Object.entries(this.values)
      .filter(([, v]) => Number.isFinite(v))
      .map(([n, v]) => `${n}=${shortest(v)}`);
    return `${this.name}(${[...(this.inside.dist ? [this.inside.dist.text] : []), ...shown].join(", ")})`;
  }
}

/** Lowest and highest value that a prior allows. */
function support(prior) {
  const { name, inside, values, family } = prior;
  if (inside.parts) {
    const all = inside.parts.map(([, p]) => support(p));
    return [Math.min(...all.map((s) => s[0])), Math.max(...all.map((s) => s[1]))];
  }
  if (name === "Truncated") {
    const [low, high] = support(inside.dist);
    return [Math.max(low, values.lower), Math.min(high, values.upper)];
  }
  if (name === "Tau2") return support(inside.dist).map((x) => Math.sqrt(Math.max(x, 0)));
  if (family.support) return family.support(values);
  return name in MU_FAMILIES ? [-Infinity, Infinity] : [0, Infinity];
}

/** Log density of a prior as a function; minus infinity outside its support. */
function logDensity(prior) {
  const { name, inside, values, family } = prior;
  const [low, high] = support(prior);
  let inner;
  if (inside.parts) {
    const parts = inside.parts.map(([w, p]) => [Math.log(w), logDensity(p)]);
    inner = (x) => {
      const terms = parts.map(([w, f]) => w + f(x)),
        top = Math.max(...terms);
      return top === -Infinity ? top : top + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - top), 0));
    };
  } else if (name === "Truncated") {
    const f = logDensity(inside.dist),
      mass = Math.log(massBetween(inside.dist, low, high));
    inner = (x) => f(x) - mass;
  } else if (name === "Tau2") {
    const f = logDensity(inside.dist);
    inner = (x) => Math.log(2 * x) + f(x * x);
  } else inner = family.log(values);
  return low === -Infinity && high === Infinity
    ? inner
    : (x) => (x >= low && x <= high ? inner(x) : -Infinity);
}

/** Where a prior is centred and how wide it is, roughly: what the search for its quantiles begins with. */
function rough(prior) {
  const { inside, values, family, name } = prior;
  if (inside.dist) {
    const r = rough(inside.dist);
    return name === "Tau2" ? { centre: 0, width: Math.sqrt(r.width) } : r;
  }
  if (name === "Uniform")
    return { centre: (values.lower + values.upper) / 2, width: (values.upper - values.lower) / 2 };
  if (family.location) return { centre: values[family.location], width: values[family.scale] };
  if (family.rate) return { centre: 0, width: 1 / values[family.rate] };
  if (family.logScale) return { centre: 0, width: Math.exp(values[family.logScale]) };
  return { centre: 0, width: family.scale ? values[family.scale] : (family.median ?? 1) };
}

const SHARES = [1e-8, 1e-4, 0.05, 0.25, 0.5, 0.75, 0.95, 1 - 1e-4, 1 - 1e-8];

/** Values below which the `SHARES` of a prior lie, to within a few percent of its width. */
function landmarks(prior) {
  if (!prior.proper) return [];
  if (prior.inside.parts) return prior.inside.parts.flatMap(([, p]) => landmarks(p));
  const { centre, width } = rough(prior),
    [low, high] = support(prior),
    f = logDensity(prior);
  const xs = [];
  for (let u = -24; u <= 18; u += 0.04) xs.push(width * Math.exp(u));
  const places = [...xs.map((x) => centre - x).reverse(), ...xs.map((x) => centre + x)].filter(
    (x) => x > low && x < high,
  );
  const density = places.map((x) => Math.exp(f(x)));
  const sums = [0];
  for (let i = 1; i < places.length; i++)
    sums.push(sums[i - 1] + ((density[i] + density[i - 1]) / 2) * (places[i] - places[i - 1]));
  const total = sums[sums.length - 1];
  let i = 0;
  return SHARES.map((q) => {
    while (i < sums.length - 1 && sums[i] < q * total) i++;
    return places[i];
  });
}

/** Probability between two bounds, by quadrature on panels that follow the prior. */
function massBetween(prior, low, high) {
  const marks = landmarks(prior),
    [least, most] = [
      Math.max(low, marks[0] - 1e3 * (marks[8] - marks[0])),
      Math.min(high, marks[8] + 1e3 * (marks[8] - marks[0])),
    ];
  const edges = [];
  for (let i = 0; i + 1 < marks.length; i++)
    for (let j = 0; j < 6; j++) edges.push(marks[i] + ((marks[i + 1] - marks[i]) * j) / 6);
  const panels = new Panels(tidy([...edges, ...kinks(prior)], least, most), 16),
    f = logDensity(prior);
  return panels.nodes.reduce((sum, x, i) => sum + panels.weights[i] * Math.exp(f(x)), 0);
}

/** Places where a density is not smooth. */
function kinks(prior) {
  if (prior.inside.parts) return prior.inside.parts.flatMap(([, p]) => kinks(p));
  const own = prior.inside.dist ? kinks(prior.inside.dist) : (prior.family.kinks?.(prior.values) ?? []);
  const found = [...own, ...(prior.name === "Truncated" || prior.name === "Uniform" ? support(prior) : [])];
  return (prior.name === "Tau2" ? found.map((x) => Math.sqrt(Math.max(x, 0))) : found).filter(
    Number.isFinite,
  );
}

// -- what the sliders move ----------------------------------------------------------------------------------

const changed = (prior, values) =>
  new Prior(prior.name, { ...prior.values, ...values }, prior.family, prior.inside);

/** Location, scale and shape of a prior; undefined where its family has none. */
function handles(prior, parameter) {
  const { family, values, name, inside } = prior;
  if (inside.dist || inside.parts) return {};
  const shape = family.shape && {
    name: family.shape[0],
    value: values[family.shape[0]],
    low: family.shape[2],
    high: family.shape[3],
  };
  if (name === "Uniform") {
    return parameter === "tau"
      ? { scale: values.upper }
      : { location: (values.lower + values.upper) / 2, scale: (values.upper - values.lower) / 2 };
  }
  const scale = family.scale
    ? values[family.scale]
    : family.rate
      ? 1 / values[family.rate]
      : family.logScale
        ? Math.exp(values[family.logScale])
        : undefined;
  return { location: family.location && values[family.location], scale, shape };
}

const digits = (x, n = 6) => Number(x.toPrecision(n));

function withLocation(prior, to) {
  if (prior.name === "Uniform") {
    const reach = (prior.values.upper - prior.values.lower) / 2;
    return changed(prior, { lower: digits(to - reach), upper: digits(to + reach) });
  }
  return changed(prior, { [prior.family.location]: to });
}

function withScale(prior, to, parameter) {
  const { family, values } = prior;
  if (prior.name === "Uniform") {
    const centre = parameter === "tau" ? 0 : (values.lower + values.upper) / 2;
    return changed(prior, {
      lower: parameter === "tau" ? (values.lower * to) / values.upper : digits(centre - to),
      upper: digits(centre + to),
    });
  }
  if (family.rate) return changed(prior, { [family.rate]: digits(1 / to) });
  if (family.logScale) return changed(prior, { [family.logScale]: digits(Math.log(to)) });
  return changed(prior, { [family.scale]: to });
}

/** A prior of another family that keeps location and scale where both have them. */
function ofFamily(name, family, old, parameter, start) {
  const values = { ...family.parameters, ...family.given };
  if (family.shape) values[family.shape[0]] = family.shape[1];
  let prior = new Prior(name, values, family);
  const from = handles(old, parameter);
  if (name === "Uniform")
    prior = changed(prior, parameter === "tau" ? { lower: 0, upper: 1 } : { lower: -1, upper: 1 });
  for (const key of Object.keys(prior.values)) if (prior.values[key] === null) prior.values[key] = 1;
  const has = handles(prior, parameter);
  if (has.scale !== undefined) prior = withScale(prior, digits(from.scale ?? start.scale, 4), parameter);
  if (has.location !== undefined) prior = withLocation(prior, digits(from.location ?? start.location, 6));
  return prior;
}
