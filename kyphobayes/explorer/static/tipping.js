// The tipping point: how far a prior must move until the probability of the claim crosses that of the decision.

/** Moves of a prior, as kyphobayes.sensitivity has them: how far a move goes, and the priors along it. */
function moves(mu, tau) {
  const found = [],
    places = handles(mu, "mu"),
    spread = handles(tau, "tau"),
    marks = landmarks(mu);
  if (places.location !== undefined) {
    const width = marks[5] - marks[3];
    found.push({
      name: "location of mu",
      unit: width,
      reach: 20 * width,
      at: (d) => [withLocation(mu, places.location + d), tau],
      value: (d) => places.location + d,
    });
  }
  if (places.scale !== undefined)
    found.push({
      name: "scale of mu",
      unit: 1,
      reach: Math.log(1000),
      at: (d) => [withScale(mu, places.scale * Math.exp(d), "mu"), tau],
      value: (d) => places.scale * Math.exp(d),
    });
  if (spread.scale !== undefined)
    found.push({
      name: "scale of tau",
      unit: 1,
      reach: Math.log(1000),
      at: (d) => [mu, withScale(tau, spread.scale * Math.exp(d), "tau")],
      value: (d) => spread.scale * Math.exp(d),
    });
  return found;
}

/**
 * Nearest crossing of a probability along a move, on either side: steps that grow by half, then the rule of
 * false position with halving. A generator, so that it can stop for a slider between two posteriors.
 */
function* crossing(move, probability, level, start) {
  const found = [];
  for (const sign of [-1, 1]) {
    let place = 0,
      gap = start - level,
      step = 0.1 * move.unit;
    while (Math.abs(place) < move.reach) {
      const next = sign * Math.min(Math.abs(place) + step, move.reach),
        value = probability(...move.at(next));
      yield;
      if (value === null) break;
      if (value >= level !== gap >= 0) {
        found.push(yield* closeIn((d) => probability(...move.at(d)), level, place, gap, next, value - level));
        break;
      }
      [place, gap, step] = [next, value - level, step * 1.5];
    }
  }
  const known = found.filter((d) => d !== null);
  return known.length ? known.reduce((a, b) => (Math.abs(a) <= Math.abs(b) ? a : b)) : null;
}

function* closeIn(p, level, a, fa, b, fb) {
  for (let round = 0; round < 40 && Math.abs(b - a) > 1e-6; round++) {
    let x = round % 3 === 2 ? (a + b) / 2 : a - (fa * (b - a)) / (fb - fa);
    if (!(x > Math.min(a, b) && x < Math.max(a, b))) x = (a + b) / 2;
    const value = p(x);
    yield;
    if (value === null) return null;
    const f = value - level;
    if (Math.abs(f) < 1e-7) return x;
    if (f >= 0 === fa >= 0) [a, fa] = [x, f];
    else [b, fb] = [x, f];
  }
  return (a + b) / 2;
}

function tip({ typical }) {
  const limit = model(state.limit),
    level = state.probability,
    side = data.decision.side;
  const probability = (mu, tau) => {
    const post = posteriorOf(surface, mu, tau);
    if (post.trouble) return null;
    return side === "above" ? 1 - post.mu.cdf(limit) : post.mu.cdf(limit);
  };
  const list = moves(state.mu, state.tau),
    lines = [];
  let current = 0,
    steps = list.length ? crossing(list[0], probability, level, typical.probability) : null;
  const work = () => {
    const until = performance.now() + 12;
    while (steps && performance.now() < until) {
      const step = steps.next();
      if (!step.done) continue;
      lines.push([list[current], step.value]);
      current += 1;
      steps = current < list.length ? crossing(list[current], probability, level, typical.probability) : null;
    }
    if (steps) pending.push(setTimeout(work, 0));
    else showTipping(lines, typical.probability, level);
  };
  work();
}

function showTipping(lines, start, level) {
  const place = $("tipping");
  place.textContent = `Tipping point: the probability for the typical ${data.words.one}, ${probabilityText(start)}, crosses ${probabilityText(level)} `;
  lines.forEach(([move, found], i) => {
    place.append(i ? "; " : "");
    const name = `tipping-${move.name.replaceAll(" ", "-")}`;
    if (found === null) {
      place.append(cell("", `at no ${move.name} that this page reaches`, name));
      return;
    }
    const value = move.value(found);
    place.append(
      `at a ${move.name} of `,
      cell(value, move.name === "location of mu" ? locationText(value) : said(value), name),
    );
  });
  place.append(".");
  document.documentElement.dataset.state += " tipping";
}
