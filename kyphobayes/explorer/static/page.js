// The page: its state, its controls, and what is shown.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const families = { mu: MU_FAMILIES, tau: { ...TAU_FAMILIES, ...studyFamilies(data.studies.errors) } };
const readers = { mu: new Reader("mu", families.mu), tau: new Reader("tau", families.tau) };
const surface = new Surface(data.surface);
data.studies.owner = data.studies.pieces.map((_, c) =>
  data.studies.tables[0].findIndex((_, s) => data.studies.tables.some((row) => row[s] === c)),
);

const TRANSFORMS = {
  logit: {
    natural: (x) => 1 / (1 + Math.exp(-x)),
    model: (v) => Math.log(v / (1 - v)),
    slope: (v) => 1 / (v * (1 - v)),
  },
  log: {
    natural: (x) => data.scale.times * Math.exp(x),
    model: (v) => Math.log(v / data.scale.times),
    slope: (v) => 1 / v,
  },
  none: { natural: (x) => x, model: (v) => v, slope: () => 1 },
};
const { natural, model, slope } = TRANSFORMS[data.scale.transform];
const { factor, unit, logarithmic } = data.scale;
const shownValue = (x) => factor * natural(x);
const fromShown = (v) => model(v / factor);
const behind = unit === "%" ? " %" : unit ? ` ${unit}` : "";

/** A number as people read it: three digits; of percent no more than two decimals. */
function said(v, percent = false) {
  if (!Number.isFinite(v)) return "–";
  const size = Math.abs(v),
    decimals =
      size >= 100
        ? 0
        : size >= 10
          ? 1
          : size >= 1 || size === 0
            ? 2
            : Math.min(5, 2 - Math.floor(Math.log10(size)));
  return v.toFixed(percent ? Math.min(decimals, size < 1 ? 2 : 1) : decimals).replace("-", "−");
}
const saidWith = (v) => (Number.isFinite(v) ? said(v, unit === "%") + behind : "–");
function probabilityText(p) {
  if (p > 0.9995) return "more than 99.9 %";
  if (p < 0.0005) return "less than 0.1 %";
  return `${(100 * p).toFixed(1)} %`;
}

// -- state ----------------------------------------------------------------------------------------------

const state = {
  mu: null,
  tau: null,
  limit: data.decision?.limit ?? null,
  probability: data.decision?.probability ?? 0.5,
};
const reference = data.sets[0];

function toAddress() {
  const parts = [`mu=${encodeURIComponent(state.mu.text)}`, `tau=${encodeURIComponent(state.tau.text)}`];
  if (data.decision)
    parts.push(`limit=${number(digits(state.limit, 10))}`, `probability=${number(state.probability)}`);
  return `#${parts.join("&")}`;
}

/** Take over what an address says; what it does not say, or says wrongly, stays as it is. */
function fromAddress() {
  const given = new Map(
    location.hash
      .slice(1)
      .split("&")
      .map((part) => part.split("="))
      .filter((p) => p.length >= 2)
      .map(([k, ...v]) => [k, v.join("=")]),
  );
  for (const parameter of ["mu", "tau"]) {
    if (!given.has(parameter)) continue;
    let text = given.get(parameter);
    try {
      text = decodeURIComponent(text);
    } catch {
      /* shown as it came */
    }
    typed(parameter, text);
  }
  const limit = Number(given.get("limit")),
    probability = Number(given.get("probability"));
  if (data.decision && given.has("limit") && Number.isFinite(model(limit))) state.limit = limit;
  if (probability > 0 && probability < 1) state.probability = probability;
}

/** Read a prior; where it is not understood say so and keep the last one. */
function typed(parameter, text) {
  const field = $(`${parameter}-text`),
    problem = $(`${parameter}-problem`);
  try {
    state[parameter] = readers[parameter].read(text);
    field.removeAttribute("aria-invalid");
    problem.hidden = true;
    return true;
  } catch (wrong) {
    if (!(wrong instanceof PriorProblem)) throw wrong;
    field.setAttribute("aria-invalid", "true");
    problem.textContent = `${wrong.message} The page still shows ${state[parameter].text}.`;
    problem.hidden = false;
    return false;
  }
}

// -- controls -------------------------------------------------------------------------------------------

function showControls(editing) {
  for (const parameter of ["mu", "tau"]) {
    const prior = state[parameter],
      has = handles(prior, parameter),
      start = data.sliders[parameter];
    const select = $(`${parameter}-family`),
      known = prior.name in families[parameter];
    if (!known && ![...select.options].some((o) => o.value === prior.name))
      select.append(new Option(`${prior.name} (as text)`, prior.name));
    select.value = prior.name;
    if (editing !== `${parameter}-text`) $(`${parameter}-text`).value = prior.text;
    if (parameter === "mu")
      slider(
        "mu-location",
        has.location,
        ...start.location,
        false,
        has.location === undefined ? "" : locationText(has.location),
      );
    slider(
      `${parameter}-scale`,
      has.scale,
      ...start.scale,
      true,
      has.scale === undefined ? "" : said(has.scale),
    );
    const { shape } = has;
    slider(`${parameter}-shape`, shape?.value, shape?.low, shape?.high, true, shape ? said(shape.value) : "");
    $(`${parameter}-shape-name`).textContent = shape?.name ?? "";
  }
  $("limit").value = data.decision ? number(digits(state.limit * factor, 10)) : "";
  $("probability").value = state.probability;
  let named = null;
  for (const [i, set] of data.sets.entries()) {
    const pressed =
      readers.mu.read(set.mu).text === state.mu.text && readers.tau.read(set.tau).text === state.tau.text;
    $("sets").children[i].setAttribute("aria-pressed", pressed);
    if (pressed) named = set;
  }
  const whys = named
    ? [
        ["mu", named.why_mu],
        ["tau", named.why_tau],
      ].filter(([, why]) => why)
    : [];
  $("why").replaceChildren(...whys.flatMap(([of, why]) => [`${of}: ${why}`, document.createElement("br")]));
}

const locationText = (x) =>
  data.scale.transform === "none"
    ? saidWith(x)
    : `${x.toFixed(2).replace("-", "−")} (${saidWith(shownValue(x))})`;

function slider(id, value, low, high, logScale, text) {
  const row = $(`${id}-row`),
    field = $(id);
  row.hidden = value === undefined;
  if (row.hidden) return;
  const to = logScale ? Math.log10 : (v) => v;
  field.min = to(low);
  field.max = to(high);
  field.step = logScale ? 0.005 : digits((high - low) / 500, 1);
  field.value = to(value);
  field.setAttribute("aria-valuetext", text);
  $(`${id}-shown`).textContent = text;
}

function listen() {
  for (const [i, set] of data.sets.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = set.label.replaceAll("_", " ");
    button.addEventListener("click", () =>
      change(() => {
        typed("mu", set.mu);
        typed("tau", set.tau);
      }),
    );
    $("sets").append(button);
    if (i === 0) button.textContent += " (main)";
  }
  for (const parameter of ["mu", "tau"]) {
    for (const name of Object.keys(families[parameter]))
      $(`${parameter}-family`).append(new Option(name, name));
    $(`${parameter}-known`).textContent = Object.keys(families[parameter]).join(", ");
    $(`${parameter}-family`).addEventListener("change", (event) =>
      change(() => {
        const name = event.target.value,
          start = data.sliders[parameter].start;
        if (name in families[parameter])
          moved(parameter, ofFamily(name, families[parameter][name], state[parameter], parameter, start));
      }),
    );
    $(`${parameter}-scale`).addEventListener("input", (e) =>
      change(() => moved(parameter, withScale(state[parameter], digits(10 ** e.target.value, 3), parameter))),
    );
    $(`${parameter}-shape`).addEventListener("input", (e) =>
      change(() => {
        const { shape } = handles(state[parameter], parameter);
        moved(parameter, changed(state[parameter], { [shape.name]: digits(10 ** e.target.value, 3) }));
      }),
    );
    $(`${parameter}-text`).addEventListener("input", (e) => {
      if (typed(parameter, e.target.value)) change(() => {}, e.target.id);
    });
    $(`${parameter}-text`).addEventListener("change", () => showControls());
  }
  $("mu-location").addEventListener("input", (e) =>
    change(() => moved("mu", withLocation(state.mu, digits(Number(e.target.value), 5)))),
  );
  $("limit").addEventListener("input", (e) => {
    const value = e.target.valueAsNumber / factor,
      good = Number.isFinite(value) && Number.isFinite(model(value));
    e.target.setAttribute("aria-invalid", !good);
    if (good)
      change(() => {
        state.limit = value;
      }, "limit");
  });
  $("probability").addEventListener("input", (e) => {
    const value = e.target.valueAsNumber,
      good = value > 0 && value < 1;
    e.target.setAttribute("aria-invalid", !good);
    if (good)
      change(() => {
        state.probability = value;
      }, "probability");
  });
  window.addEventListener("hashchange", () => {
    if (location.hash !== toAddress()) change(fromAddress);
  });
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(update, 150);
  });
  $("copy-address").addEventListener("click", () => copy(location.href, "address"));
  for (const button of document.querySelectorAll("button[data-code]")) {
    button.addEventListener("click", () => {
      language = button.dataset.code;
      showCode();
      copy($("code").textContent, "code");
    });
  }
  $("decision-controls").hidden = !data.decision;
}

function moved(parameter, prior) {
  typed(parameter, prior.text);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = `The ${what} is copied.`;
  } catch {
    $("copied").textContent =
      what === "code"
        ? "The code stands below: select and copy it."
        : "Copy the address from the address bar.";
  }
}

let language = "python";
function showCode() {
  const text = {
    python: () => python(data, state.mu, state.tau, state.limit),
    bayesmeta: () => bayesmeta(data, state.mu, state.tau),
    brms: () => brms(data, state.mu, state.tau),
  }[language]();
  $("code").textContent = text;
}
