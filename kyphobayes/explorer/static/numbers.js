// What is computed when the state has changed, and the table of answers.

const main = { posterior: null, logMarginal: null };
let pending = [];

/** Change the state and show what follows; `editing` is the field being typed in, which is left alone. */
function change(how, editing) {
  const began = performance.now();
  how();
  showControls(editing);
  history.replaceState(null, "", toAddress());
  update();
  document.documentElement.dataset.milliseconds = performance.now() - began;
}

/** Numbers and curves at once; studies in the next moment; the tipping point when nothing else is asked. */
function update() {
  for (const timer of pending) clearTimeout(timer);
  const post = posteriorOf(surface, state.mu, state.tau);
  const next = post.trouble ? null : effects(post, data.studies, false);
  const trouble =
    post.trouble ||
    (next.error > 1e-4 ? "the effect of the next study is not resolved under these priors" : "");
  $("trouble").hidden = !trouble;
  $("trouble").textContent = trouble
    ? `No numbers are shown: ${trouble}. The code below computes them with kyphobayes.`
    : "";
  const shown = trouble ? null : answers(post, next);
  showAnswers(shown);
  showCurves(shown);
  showCode();
  $("cited").textContent = toAddress();
  document.documentElement.dataset.state = trouble ? "trouble" : "numbers";
  $("tipping").textContent = "";
  pending = [
    setTimeout(() => {
      showStudies(trouble ? null : shown);
      document.documentElement.dataset.state += " studies";
    }, 0),
  ];
  if (!trouble && data.decision) pending.push(setTimeout(() => tip(shown), 250));
}

const OUTER = 1e-3; // share of a mean that the outermost panels may hold: more, and it may be infinite

function answers(post, { next, error }) {
  const of = (density) => {
    const [median, low, high] = [0.5, 0.025, 0.975].map((q) => natural(density.quantile(q)));
    const { transform } = data.scale,
      resolved = transform === "logit" || (transform === "none" && density.outerShare(natural) < OUTER);
    const below = data.decision ? density.cdf(model(state.limit)) : null;
    return {
      median,
      low,
      high,
      mean: resolved ? density.mean(natural) : NaN,
      probability: data.decision?.side === "above" ? 1 - below : below,
    };
  };
  const tau = {
    median: post.tau.quantile(0.5),
    low: post.tau.quantile(0.025),
    high: post.tau.quantile(0.975),
    mean: post.tau.outerShare((x) => x) < OUTER ? post.tau.mean((x) => x) : NaN,
  };
  return { post, next, error: post.error + error, typical: of(post.mu), coming: of(next), tau };
}

/** A number with all its digits for machines and three for people. */
function cell(value, text, name) {
  const made = document.createElement("data");
  made.value = value;
  made.textContent = text;
  if (name) made.id = name;
  return made;
}

function row(head, cells) {
  const made = document.createElement("tr"),
    th = document.createElement("th");
  th.scope = "row";
  th.textContent = head;
  made.append(th);
  for (const parts of cells) {
    const td = document.createElement("td");
    td.append(...parts);
    made.append(td);
  }
  return made;
}

function showAnswers(shown) {
  const body = $("answers").tBodies[0];
  body.replaceChildren();
  $("decision-head").textContent = data.decision
    ? `Probability ${data.decision.side} ${saidWith(state.limit * factor)}`
    : "";
  for (const id of ["evidence", "next", "precision"]) $(id).replaceChildren();
  if (!shown) {
    $("summary").textContent =
      `With mu ~ ${state.mu.text} and tau ~ ${state.tau.text} this page cannot give numbers.`;
    return;
  }
  const line = (head, name, v, plainly, scaled) =>
    body.append(
      row(head, [
        [cell(v.median, scaled(v.median), `${name}-median`)],
        [cell(v.low, plainly(v.low), `${name}-low`), " to ", cell(v.high, scaled(v.high), `${name}-high`)],
        v.probability === null || v.probability === undefined
          ? []
          : [cell(v.probability, probabilityText(v.probability), `${name}-probability`)],
        [cell(v.mean, scaled(v.mean), `${name}-mean`)],
      ]),
    );
  const scaled = (v) => saidWith(v * factor),
    plain = (v) => said(v * factor, unit === "%");
  line(data.words.typical, "typical", shown.typical, plain, scaled);
  line(data.words.next, "next", shown.coming, plain, scaled);
  line(
    `tau, between ${data.words.many}`,
    "tau",
    shown.tau,
    (v) => said(v),
    (v) => said(v),
  );
  const { typical, coming } = shown;
  const claim = data.decision
    ? ` The probability that ${data.decision.words(state.limit)} is ${probabilityText(typical.probability)} for the typical ${data.words.one} and ${probabilityText(coming.probability)} for the next; the first ${typical.probability >= state.probability ? "reaches" : "does not reach"} the ${probabilityText(state.probability)} from which on it is taken as the conclusion.`
    : "";
  $("summary").textContent =
    `With mu ~ ${state.mu.text} and tau ~ ${state.tau.text} the typical ${data.scale.name} is ${scaled(typical.median)} (95 % interval ${plain(typical.low)} to ${scaled(typical.high)}), and that of the next ${data.words.one} lies between ${plain(coming.low)} and ${scaled(coming.high)}.${claim}`;
  showEvidence(shown);
  showNext(shown);
  $("precision").append(
    "Estimated numerical error of these probabilities: below ",
    cell(shown.error, boundText(shown.error), "error"),
    ". Means are left out where they are infinite or not resolved.",
  );
}

const boundText = (e) => number(10 ** Math.ceil(Math.log10(e))).replace(/^1e/, "10^");

function showEvidence({ post }) {
  if (main.posterior === null)
    main.posterior = posteriorOf(surface, readers.mu.read(reference.mu), readers.tau.read(reference.tau));
  if (!post.comparable)
    $("evidence").textContent = "An improper prior has no marginal likelihood that could be compared.";
  else if (main.posterior.trouble || !main.posterior.comparable) $("evidence").textContent = "";
  else {
    const log = post.logMarginal - main.posterior.logMarginal,
      bf = Math.exp(log);
    const text = bf >= 1000 || bf < 0.001 ? `e^${said(log)}` : bf >= 1 ? said(bf) : `1/${said(1 / bf)}`;
    $("evidence").append(
      "Bayes factor against the main priors: ",
      cell(bf, text, "bayes-factor"),
      " (log marginal likelihood ",
      cell(post.logMarginal, said(post.logMarginal), "log-marginal"),
      ").",
    );
  }
}

function showNext({ next }) {
  data.next.forEach((n, i) => {
    const p = nextEvents(next, n),
      mean = p.reduce((total, q, y) => total + q * y, 0);
    let low = 0,
      high = 0,
      sumTo = 0;
    p.forEach((q, y) => {
      sumTo += q;
      if (sumTo < 0.025) low = y + 1;
      if (sumTo < 0.975 - 1e-12) high = y + 1;
    });
    $("next").append(
      `${i ? " " : ""}Among the next ${n} ${data.words.unit}: `,
      cell(mean, said(mean), `next-${n}-mean`),
      ` ${data.words.event} expected, 95 % interval `,
      cell(low, String(low), `next-${n}-low`),
      " to ",
      cell(high, String(high), `next-${n}-high`),
      ".",
    );
  });
}
