// The current state as code: kyphobayes, bayesmeta and brms. Priors that a package lacks are said in a comment.

const number = (x) => shortest(Number(x));

/** Density of a prior of tau in R, as a function of t for bayesmeta; null where R has none at hand. */
function rDensity({ name, values: v, inside }) {
  const densities = {
    HalfNormal: () => `dhalfnormal(t, scale=${v.sigma})`,
    HalfCauchy: () => `dhalfcauchy(t, scale=${v.beta})`,
    HalfStudentT: () => `dhalft(t, df=${v.nu}, scale=${v.sigma})`,
    HalfLogistic: () => `dhalflogistic(t, scale=${v.s})`,
    Exponential: () => `dexp(t, rate=${v.lam})`,
    PC: () => `dexp(t, rate=-log(${v.alpha})/${v.U})`,
    Uniform: () => `dunif(t, min=${v.lower}, max=${v.upper})`,
    LogNormal: () => `dlnorm(t, meanlog=${v.mu}, sdlog=${v.sigma})`,
    LogStudentT: () => `dt((log(t)-(${v.mu}))/${v.sigma}, df=${v.nu})/(${v.sigma}*t)`,
    Gamma: () => `dgamma(t, shape=${v.alpha}, rate=${v.beta})`,
    InverseGamma: () => `exp(${v.alpha}*log(${v.beta})-lgamma(${v.alpha})-(${v.alpha}+1)*log(t)-${v.beta}/t)`,
    Weibull: () => `dweibull(t, shape=${v.alpha}, scale=${v.beta})`,
    Lomax: () => `${v.alpha}/${v.beta}*(1+t/${v.beta})^(-${v.alpha}-1)`,
    Rayleigh: () => `t/${v.sigma}^2*exp(-t^2/(2*${v.sigma}^2))`,
  };
  if (inside.dist || inside.parts) return null;
  return densities[name]?.() ?? null;
}

const R_NAMES = {
  HalfFlat: "uniform",
  FlatSqrt: "sqrt",
  Jeffreys: "Jeffreys",
  OverallJeffreys: "overallJeffreys",
  BergerDeely: "BergerDeely",
  Conventional: "conventional",
  DuMouchel: "DuMouchel",
  UniformShrinkage: "shrinkage",
  UniformI2: "I2",
};

function bayesmeta(data, mu, tau) {
  const density = rDensity(tau),
    lines = ["library(bayesmeta)", ...data.code.estimates];
  const tauText = R_NAMES[tau.name]
    ? `"${R_NAMES[tau.name]}"`
    : density
      ? `function(t) ${density}`
      : `"uniform"`;
  if (!R_NAMES[tau.name] && !density)
    lines.push(`# bayesmeta has no prior like ${tau.text} at hand: tau is flat below instead`);
  let muText = "mu.prior=c(NA, NA)";
  if (mu.name === "Normal") muText = `mu.prior=c(${mu.values.mu}, ${mu.values.sigma})`;
  else if (mu.name !== "Flat")
    lines.push(
      `# bayesmeta takes a normal or a flat prior for mu only: ${mu.text} is left out below, mu is flat`,
    );
  lines.push(
    `fit <- bayesmeta(y=d$y, sigma=d$se, labels=d$study, ${muText}, tau.prior=${tauText})`,
    "fit",
    ...data.code.shown,
  );
  return lines.join("\n");
}

/** A prior as Stan writes it; null where Stan has none. */
function stan({ name, values: v, inside }) {
  const forms = {
    Normal: () => `normal(${v.mu}, ${v.sigma})`,
    StudentT: () => `student_t(${v.nu}, ${v.mu}, ${v.sigma})`,
    Cauchy: () => `cauchy(${v.alpha}, ${v.beta})`,
    Laplace: () => `double_exponential(${v.mu}, ${v.b})`,
    Logistic: () => `logistic(${v.mu}, ${v.s})`,
    Uniform: () => `uniform(${v.lower}, ${v.upper})`,
    HalfNormal: () => `normal(0, ${v.sigma})`,
    HalfCauchy: () => `cauchy(0, ${v.beta})`,
    HalfStudentT: () => `student_t(${v.nu}, 0, ${v.sigma})`,
    HalfLogistic: () => `logistic(0, ${v.s})`,
    Exponential: () => `exponential(${v.lam})`,
    PC: () => `exponential(${number(-Math.log(v.alpha) / v.U)})`,
    LogNormal: () => `lognormal(${v.mu}, ${v.sigma})`,
    Gamma: () => `gamma(${v.alpha}, ${v.beta})`,
    InverseGamma: () => `inv_gamma(${v.alpha}, ${v.beta})`,
    Weibull: () => `weibull(${v.alpha}, ${v.beta})`,
    Lomax: () => `pareto_type_2(0, ${v.beta}, ${v.alpha})`,
    Rayleigh: () => `rayleigh(${v.sigma})`,
  };
  if (inside.dist || inside.parts) return null;
  return forms[name]?.() ?? null;
}

function brms(data, mu, tau) {
  const lines = ["library(brms)", ...data.code.counts];
  const bounds = (prior) =>
    prior.name === "Uniform" ? `, lb=${prior.values.lower}, ub=${prior.values.upper}` : "";
  const part = (prior, of, flat) => {
    const text = stan(prior);
    if (text) return `set_prior("${text}", class="${of}"${of === "sd" ? bounds(prior) : ""})`;
    if (!flat.includes(prior.name))
      lines.push(
        `# Stan has no distribution like ${prior.text}: ${of === "sd" ? "tau" : "mu"} is flat below instead`,
      );
    return `set_prior("", class="${of}")`;
  };
  const both = [part(mu, "Intercept", ["Flat"]), part(tau, "sd", ["HalfFlat"])];
  if (mu.name === "Uniform")
    lines.push("# brms sets no bounds for an intercept: start the chains inside them, with init=");
  lines.push(
    `fit <- brm(${data.code.formula},`,
    `           data=d, family=${data.code.family},`,
    `           prior=c(${both.join(",\n                   ")}),`,
  );
  lines.push(
    "           chains=4, iter=4000, control=list(adapt_delta=0.99), seed=1)",
    "fit",
    ...data.code.backBrms,
  );
  return lines.join("\n");
}

function python(data, mu, tau, below) {
  const { decision } = data,
    lines = [
      "from kyphobayes import exact",
      "from kyphobayes.natural_scale import natural_scale",
      "",
      ...data.code.python,
      `scale = natural_scale(${data.code.measure})`,
      `post = surface.posterior(mu=${JSON.stringify(mu.text)}, tau=${JSON.stringify(tau.text)})`,
      "",
      'for name, density in {"typical": post.mu, "next": post.theta_new}.items():',
      "    print(name, scale.factor * scale.natural(density.quantile([0.5, 0.025, 0.975])), scale.unit)",
      'print("tau", post.tau.quantile([0.5, 0.025, 0.975]))',
      "print(post.shrinkage())",
    ];
  if (below !== null) {
    const cdf = (name) => `post.cdf("${name}", limit)`;
    lines.push(`limit = scale.model(${number(below)})`);
    lines.push(
      decision.side === "above"
        ? `print("probability", 1 - ${cdf("mu")}, 1 - ${cdf("theta_new")})`
        : `print("probability", ${cdf("mu")}, ${cdf("theta_new")})`,
    );
  }
  lines.push('print("log marginal likelihood", post.log_marginal_likelihood)');
  return lines.join("\n");
}
