// The reader of priors in text form, which is never run as code.

class PriorProblem extends Error {}

/** Reads priors for one parameter, "mu" or "tau". */
class Reader {
  constructor(parameter, families) {
    this.parameter = parameter;
    this.families = families;
    this.known = [...Object.keys(families), ...WRAPPERS.filter((w) => parameter === "tau" || w !== "Tau2")];
  }

  read(text) {
    this.source = text;
    this.tokens = text.match(/[A-Za-z_]\w*|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[^\s]/g) ?? [];
    this.at = 0;
    const prior = this.prior();
    if (this.at < this.tokens.length) throw this.wrong(`nothing is expected after ${prior.text}`);
    const [low] = support(prior);
    if (this.parameter === "tau" && low < 0)
      throw this.wrong(
        "tau is a standard deviation and cannot be negative; use a Half… family or a lower bound of 0",
      );
    return prior;
  }

  wrong(what) {
    return new PriorProblem(`“${this.source}” is not understood: ${what}.`);
  }

  take(expected) {
    const token = this.tokens[this.at++];
    if (expected && token !== expected)
      throw this.wrong(`expected “${expected}”, found ${token ? `“${token}”` : "the end"}`);
    return token;
  }

  number() {
    let sign = 1,
      token = this.take();
    while (token === "-" || token === "+") {
      if (token === "-") sign = -sign;
      token = this.take();
    }
    const value = sign * Number(token);
    if (token === undefined || !Number.isFinite(value))
      throw this.wrong("parameters are finite numbers, such as sigma=1.5");
    return value;
  }

  prior() {
    const form = this.parameter === "mu" ? "Normal(mu=-2.5, sigma=1.5)" : "HalfNormal(sigma=1)";
    let name = this.take();
    if (name === undefined || !/^[A-Za-z_]\w*$/.test(name))
      throw this.wrong(`expected a form such as ${form}`);
    if (this.parameter === "tau" && name === "Flat") name = "HalfFlat"; // flat means flat above zero
    const inner = this.depth && REAL_TOO[name];
    if (!this.known.includes(name) && !inner) {
      const close = this.known.find((word) => word.toLowerCase().startsWith(name.toLowerCase().slice(0, 5)));
      throw this.wrong(
        `${name} is not a family for ${this.parameter} here; ${close ? `did you mean ${close}` : `there are ${this.known.join(", ")}`}`,
      );
    }
    if (this.tokens[this.at] !== "(") return this.made(name, {}, {}, inner);
    this.take("(");
    if (name === "Mixture") return this.mixture();
    const family = this.families[name] ?? inner;
    const names =
      name === "Truncated" ? ["lower", "upper"] : name === "Tau2" ? [] : Object.keys(family.parameters);
    const values = {},
      inside = {};
    if (name === "Truncated" || name === "Tau2") {
      this.depth = (this.depth ?? 0) + 1;
      inside.dist = this.prior();
      this.depth--;
      if (this.tokens[this.at] === ",") this.take(",");
    }
    for (let position = 0; this.tokens[this.at] !== ")"; position++) {
      const named = this.tokens[this.at + 1] === "=";
      const key = named ? this.take() : names[position];
      if (named) this.take("=");
      if (!names.includes(key))
        throw this.wrong(
          `${name} takes ${names.join(" and ") || "no parameters"}${named ? `, not ${key}` : ""}`,
        );
      if (key in values) throw this.wrong(`${key} is given twice`);
      values[key] = this.number();
      if (this.tokens[this.at] !== ")") this.take(",");
    }
    this.take(")");
    return this.made(name, values, inside, inner);
  }

  mixture() {
    const parts = [];
    do {
      const weight = this.number();
      this.take("*");
      parts.push([weight, this.prior()]);
    } while (this.tokens[this.at] === "+" && this.take("+"));
    this.take(")");
    const total = parts.reduce((sum, [w]) => sum + w, 0);
    if (parts.some(([w]) => w <= 0) || Math.abs(total - 1) > 1e-6)
      throw this.wrong("weights of a mixture are above 0 and add to 1");
    if (parts.some(([, prior]) => !prior.proper)) throw this.wrong("an improper prior cannot be mixed");
    return new Prior("Mixture", {}, {}, { parts });
  }

  made(name, given, inside, inner) {
    if (name === "Mixture")
      throw this.wrong(
        "expected a form such as Mixture(0.8*Normal(mu=0, sigma=1) + 0.2*Normal(mu=0, sigma=5))",
      );
    if (name === "Truncated" || name === "Tau2") {
      if (!inside.dist) throw this.wrong(`expected a prior inside ${name}`);
      if (name === "Tau2" && support(inside.dist)[0] < 0) throw this.wrong("a square cannot be negative");
      if (name === "Truncated") {
        if (!inside.dist.proper) throw this.wrong("an improper prior cannot be truncated; use Uniform");
        if (!("lower" in given || "upper" in given)) throw this.wrong("Truncated also needs lower or upper");
      }
      const values =
        name === "Tau2" ? {} : { lower: given.lower ?? -Infinity, upper: given.upper ?? Infinity };
      const prior = new Prior(name, values, {}, inside);
      const [low, high] = support(prior);
      if (!(low < high)) throw this.wrong("nothing is left between these bounds");
      return prior;
    }
    const family = this.families[name] ?? inner,
      values = {};
    for (const [key, standard] of Object.entries(family.parameters)) {
      values[key] = given[key] ?? standard;
      if (values[key] === null) throw this.wrong(`${name} also needs ${key}`);
    }
    for (const key of family.positive ?? [])
      if (!(values[key] > 0)) throw this.wrong(`${key} must be greater than 0`);
    for (const key of family.unit ?? [])
      if (!(values[key] > 0 && values[key] < 1)) throw this.wrong(`${key} must lie between 0 and 1`);
    if (family.ordered && !(values.lower < values.upper)) throw this.wrong("lower must lie below upper");
    return new Prior(name, values, family);
  }
}

const REAL_TOO = MU_FAMILIES; // what may stand inside Truncated(…, lower=0) for tau
