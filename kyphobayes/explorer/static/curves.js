// Curves of the typical and the next one and of tau, and the picture and table of the studies.

const views = { typical: [...data.ranges.typical], next: [...data.ranges.next] };

/** Range of shown values of a picture: it stays, so that what moves is the curve, and widens where that leaves. */
function rangeOf(which, density) {
  const view = views[which];
  if (density) {
    const [low, high] = which === "typical" ? [0.005, 0.995] : [0.05, 0.95];
    view[0] = Math.min(view[0], shownValue(density.quantile(low)));
    view[1] = Math.max(view[1], shownValue(density.quantile(high)));
  }
  return view;
}

const axis = (range) => ({ range, logarithmic, label: data.words.axis });

/** Density on the shown axis: per unit of it, or of its logarithm. */
const perShown = (v) => (logarithmic ? 1 : slope(v / factor) / factor);

function grid([low, high], count = 240) {
  const found = [];
  const bounded = data.scale.transform === "logit";
  for (let i = 0; i <= count; i++) {
    const share = bounded ? Math.min(Math.max(i / count, 0.0005), 0.9995) : i / count;
    found.push(logarithmic ? low * (high / low) ** share : low + (high - low) * share);
  }
  return data.scale.transform === "log" && !logarithmic ? found.filter((v) => v > 0) : found;
}

const peak = (ys, share = 1) => share * ys.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0);

function showCurves(shown) {
  const limit = data.decision ? state.limit * factor : null;
  showTypical(shown, rangeOf("typical", shown?.post.mu), limit);
  showComing(shown, rangeOf("next", shown?.next), limit);
  showTau(shown);
}

function showTypical(shown, range, limit) {
  const xs = grid(range),
    where = xs.map(fromShown),
    log = logDensity(state.mu),
    curves = [];
  const prior = where.map((x, i) => Math.exp(log(x)) * perShown(xs[i]));
  if (shown) {
    const { post } = shown,
      posterior = where.map((x, i) => post.mu.pdf(x) * perShown(xs[i])),
      likelihood = marginal(post, where),
      top = quiet(posterior);
    curves.push({
      name: "prior",
      kind: "prior",
      xs,
      ys: prior,
      top: state.mu.proper ? Math.max(top, quiet(prior) / 3) : 1.6 * quiet(prior),
    });
    curves.push({ name: "likelihood", kind: "likelihood", xs, ys: likelihood, top: peak(likelihood) });
    curves.push({ name: "posterior", kind: "posterior", xs, ys: posterior, top, filled: true });
  } else curves.push({ name: "prior", kind: "prior", xs, ys: prior, top: quiet(prior) });
  curvesPicture("typical-picture", axis(range), curves, limit, shown && shownInterval(shown.typical));
}

function showComing(shown, range, limit) {
  const xs = grid(range, 160),
    where = xs.map(fromShown),
    curves = [],
    before = priorOfNext(xs, where);
  const ys = shown && where.map((x, i) => shown.next.pdf(x) * perShown(xs[i]));
  if (before)
    curves.push({
      name: "before the studies",
      kind: "prior",
      xs,
      ys: before,
      top: Math.max(ys ? quiet(ys) : 0, quiet(before) / 3),
    });
  if (shown)
    curves.push({ name: `next ${data.words.one}`, kind: "posterior", xs, ys, top: quiet(ys), filled: true });
  curvesPicture("next-picture", axis(range), curves, limit, shown && shownInterval(shown.coming));
}

/** Height that the curve is scaled by: of its peak, unless that is a spike at the edge of the axis. */
const quiet = (ys) =>
  Math.min(peak(ys), 3 * peak(ys.slice(Math.floor(ys.length / 30), -Math.floor(ys.length / 30))));

const shownInterval = ({ low, median, high }) => [low, median, high].map((v) => v * factor);

/** The likelihood of mu with tau integrated over its prior: times the prior it is the posterior. */
function marginal(post, where) {
  const { tauPanels: tau, priors } = post,
    log = logDensity(priors.tau);
  const inside = where.map((x) => x > surface.mu.low && x < surface.mu.high);
  const places = Float64Array.from(where, (x, i) => (inside[i] ? x : post.muPanels.low)),
    { values } = surface.at(places, tau.nodes);
  const weights = tau.nodes.map((t, j) => tau.weights[j] * Math.exp(log(t)));
  const top = values.reduce((a, b) => Math.max(a, b));
  return where.map((_, i) => {
    let total = 0;
    for (let j = 0; j < tau.size; j++) total += weights[j] * Math.exp(values[i * tau.size + j] - top);
    return inside[i] ? total : 0;
  });
}

/** Density of the next effect before any study; null under improper priors. */
function priorOfNext(xs, where) {
  if (!(state.mu.proper && state.tau.proper)) return null;
  const spread = onPanels(state.tau, 4),
    centres = onPanels(state.mu, 8),
    row = new Float64Array(centres.panels.size);
  return where.map((x, at) => {
    let total = 0;
    spread.panels.nodes.forEach((t, j) => {
      const [first, last] = kernelWeights(centres.panels, 0, centres.panels.count, x, t, 5, row);
      let density = 0;
      for (let i = first; i < last; i++) density += row[i] * centres.values[i];
      total += spread.panels.weights[j] * spread.values[j] * density;
    });
    return Math.max(total, 0) * perShown(xs[at]);
  });
}

/** A prior on panels between its quantiles. */
function onPanels(prior, order) {
  const marks = landmarks(prior),
    log = logDensity(prior);
  const panels = new Panels(tidy([...marks.slice(1, -1), ...kinks(prior)], marks[0], marks[8]), order);
  return new Density(
    panels,
    panels.nodes.map((x) => Math.exp(log(x))),
  );
}

function showTau(shown) {
  if (!shown)
    return curvesPicture("tau-picture", { range: [0, data.tauRange], label: data.words.tau }, [], null, null);
  const high = Math.max(data.tauRange, shown.post.tau.quantile(0.99)),
    xs = Array.from({ length: 241 }, (_, i) => (high * Math.max(i, 0.02)) / 240);
  const log = logDensity(state.tau),
    prior = xs.map((x) => Math.exp(log(x))),
    posterior = xs.map((x) => shown.post.tau.pdf(x));
  const top = quiet(posterior);
  curvesPicture(
    "tau-picture",
    { range: [0, high], label: data.words.tau },
    [
      {
        name: "prior",
        kind: "prior",
        xs,
        ys: prior,
        top: state.tau.proper ? Math.max(top, quiet(prior) / 2) : 1.6 * peak(prior.slice(4)),
      },
      { name: "posterior", kind: "posterior", xs, ys: posterior, top, filled: true },
    ],
    null,
    [shown.tau.low, shown.tau.median, shown.tau.high],
  );
}

// -- studies --------------------------------------------------------------------------------------------

function showStudies(shown) {
  const own = shown && studyEffects(surface, state, data.studies),
    body = $("studies").tBodies[0];
  body.replaceChildren();
  const rows = data.studies.labels.map((name, i) => {
    const raw = data.raw[i],
      three = own && [0.5, 0.025, 0.975].map((q) => natural(own[i].quantile(q)));
    const text = (v) => said(v * factor, unit === "%"),
      from = raw.from === raw.to ? text(raw.from) : `${text(raw.from)} to ${text(raw.to)}`;
    body.append(
      row(name, [
        [raw.text],
        [`${from} (${text(raw.low)} to ${saidWith(raw.high * factor)})`],
        three
          ? [
              cell(three[0], text(three[0]), `study-${i}-median`),
              " (",
              cell(three[1], text(three[1]), `study-${i}-low`),
              " to ",
              cell(three[2], saidWith(three[2] * factor), `study-${i}-high`),
              ")",
            ]
          : ["–"],
      ]),
    );
    const scaled = (v) => v * factor;
    return {
      name,
      raw: { from: scaled(raw.from), to: scaled(raw.to), low: scaled(raw.low), high: scaled(raw.high) },
      own: three && three.map(scaled),
    };
  });
  if (shown)
    rows.push(
      {
        name: data.words.typical,
        own: [shown.typical.median, shown.typical.low, shown.typical.high].map((v) => v * factor),
      },
      {
        name: data.words.next,
        own: [shown.coming.median, shown.coming.low, shown.coming.high].map((v) => v * factor),
      },
    );
  studiesPicture(
    "studies-picture",
    { range: data.studyRange, logarithmic, label: data.words.axis },
    rows,
    data.decision ? state.limit * factor : null,
  );
}
