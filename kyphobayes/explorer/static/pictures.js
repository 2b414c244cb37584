// Pictures as SVG: every shape carries a class, so that colours, dashes and print are the style sheet's.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes; text is set as text, never as markup. */
function element(name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Round steps that cut an interval into about `count` pieces. */
function ticks(low, high, count = 6) {
  const raw = (high - low) / count,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(digits(i * step, 12));
  return found;
}

/** Values for a logarithmic axis: as few kinds of first digits as give at least four of them. */
function logTicks(low, high) {
  for (const digitsOf of [
    [1],
    [1, 2, 5],
    [1, 1.5, 2, 3, 5, 7],
    [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
  ]) {
    const found = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++) {
      for (const m of digitsOf) found.push(digits(m * 10 ** p, 6));
    }
    const inside = found.filter((x) => x >= low && x <= high);
    if (inside.length >= 4) return inside;
  }
  return ticks(low, high, 4);
}

/** An empty picture with a horizontal axis; `x` takes shown values to places. */
function canvas(id, height, axis) {
  const svg = document.getElementById(id),
    width = Math.max(300, Math.min(svg.parentElement.clientWidth || 800, 960));
  const left = axis.left ?? 12,
    right = width - 14,
    bottom = height - 44;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [low, high] = axis.range,
    along = axis.logarithmic ? Math.log : (v) => v;
  const x = (v) =>
    left +
    ((right - left) * (along(Math.min(Math.max(v, low), high)) - along(low))) / (along(high) - along(low));
  svg.append(element("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  const count = Math.max(3, Math.floor((right - left) / 90));
  for (const v of axis.logarithmic ? logTicks(low, high) : ticks(low, high, count)) {
    svg.append(element("line", { class: "axis", x1: x(v), x2: x(v), y1: bottom, y2: bottom + 5 }));
    svg.append(
      element("text", { class: "faint", x: x(v), y: bottom + 19, "text-anchor": "middle" }, String(v)),
    );
  }
  svg.append(
    element(
      "text",
      { class: "faint", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" },
      axis.label,
    ),
  );
  return { svg, x, left, right, bottom, width };
}

/**
 * Curves over one axis, each scaled by its own height in `tops`, with a key above.
 *
 * curves: [{ name, kind, xs, ys, top }]; `kind` is the class of the line.
 */
function curvesPicture(id, axis, curves, limit, interval) {
  const height = 250,
    area = canvas(id, height, axis),
    { svg, x, bottom } = area,
    ceiling = 34;
  let keyed = area.left;
  for (const { name, kind } of curves) {
    svg.append(element("line", { class: kind, x1: keyed, x2: keyed + 26, y1: 12, y2: 12 }));
    const text = element("text", { x: keyed + 32, y: 16 }, name);
    svg.append(text);
    keyed += 32 + (text.getComputedTextLength?.() || 7 * name.length) + 18;
  }
  if (limit !== null && limit >= axis.range[0] && limit <= axis.range[1]) {
    svg.append(element("line", { class: "limit", x1: x(limit), x2: x(limit), y1: ceiling, y2: bottom }));
  }
  for (const { kind, xs, ys, top, filled } of curves) {
    if (!(top > 0)) continue;
    const points = Array.from(
      xs,
      (v, i) =>
        `${x(v).toFixed(1)},${(bottom - Math.min(ys[i] / top, 1.04) * (bottom - ceiling - 6)).toFixed(1)}`,
    );
    if (filled)
      svg.append(
        element("polygon", {
          class: "area",
          points: [`${x(xs[0])},${bottom}`, ...points, `${x(xs[xs.length - 1])},${bottom}`].join(" "),
        }),
      );
    svg.append(element("polyline", { class: kind, points: points.join(" ") }));
  }
  if (interval) {
    const [low, middle, high] = interval;
    svg.append(element("line", { class: "own", x1: x(low), x2: x(high), y1: bottom - 3, y2: bottom - 3 }));
    svg.append(element("circle", { class: "own-mark", cx: x(middle), cy: bottom - 3, r: 5 }));
  }
}

/** A name that is too long, without its middle: names often differ at their end. */
function shortened(name, most) {
  const kept = Math.floor(most / 2);
  return name.length > most ? `${name.slice(0, kept)}…${name.slice(-kept + 1)}` : name;
}

/** Studies: raw estimate and interval above, by the model below, and the typical and the next one. */
function studiesPicture(id, axis, rows, limit) {
  const narrow = document.getElementById(id).parentElement.clientWidth < 560;
  const step = narrow ? 46 : 30,
    head = 26,
    height = head + rows.length * step + 50;
  const area = canvas(id, height, { ...axis, left: narrow ? 12 : 210 }),
    { svg, x, bottom } = area;
  svg.append(element("rect", { class: "raw-mark", x: area.left, y: 4, width: 9, height: 9 }));
  svg.append(element("text", { x: area.left + 16, y: 14 }, "raw"));
  svg.append(element("circle", { class: "own-mark", cx: area.left + 66, cy: 9, r: 5 }));
  svg.append(element("text", { x: area.left + 76, y: 14 }, "by the model"));
  if (limit !== null && limit >= axis.range[0] && limit <= axis.range[1]) {
    svg.append(element("line", { class: "limit", x1: x(limit), x2: x(limit), y1: head, y2: bottom }));
  }
  const clipped = (low, high) => [x(low), Math.max(x(high), x(low) + 0.5)];
  rows.forEach(({ name, raw, own }, i) => {
    const top = head + i * step,
      y = top + (narrow ? 32 : 16);
    const label = shortened(name, narrow ? 44 : 26);
    const text = element(
      "text",
      narrow ? { x: 4, y: top + 18 } : { x: 200, y: y + 4, "text-anchor": "end" },
      label,
    );
    if (label !== name) text.append(element("title", {}, name));
    svg.append(text);
    if (raw) {
      const [a, b] = clipped(raw.low, raw.high);
      svg.append(element("line", { class: "raw", x1: a, x2: b, y1: y - 5, y2: y - 5 }));
      const from = x(raw.from),
        to = x(raw.to);
      svg.append(
        element("rect", { class: "raw-mark", x: from - 4, y: y - 9, width: to - from + 8, height: 8 }),
      );
    }
    if (own) {
      const [a, b] = clipped(own[1], own[2]);
      svg.append(element("line", { class: "own", x1: a, x2: b, y1: y + 5, y2: y + 5 }));
      svg.append(element("circle", { class: "own-mark", cx: x(own[0]), cy: y + 5, r: 4.5 }));
    }
  });
}
