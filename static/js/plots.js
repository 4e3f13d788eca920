// Draws every <div class="plotbox" data-src="address of a figure" or data-json="#id of a script">.
// A figure is {data, layout, marks, empty}: see mpc/ui/figures.py. "var(--name)" in it becomes the theme's colour.
"use strict";
(() => {
  const drawn = new Map(); // element -> figure as it came

  const probe = document.createElement("span");
  probe.hidden = true;
  function colour(token) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  }
  function palette() {
    const names = ["ink", "quiet", "line", "card", "sunken", "accent", "pass", "fail", "warn", "idle", "unit-a", "unit-b", "unit-c", "unit-d"];
    return Object.fromEntries(names.map((name) => [name, colour(`--${name}`)]));
  }
  function themed(value) {
    if (typeof value === "string") return value.startsWith("var(--") ? colour(value.slice(4, -1)) : value;
    if (Array.isArray(value)) return value.length && typeof value[0] === "number" ? value : value.map(themed);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner)]));
    return value;
  }
  function faint(rgb, share) {
    return rgb.replace(/^rgba?\(([^)]+)\)$/, (_, parts) => `rgba(${parts.split(/[, /]+/).slice(0, 3).join(",")},${share})`);
  }
  function merge(base, over) {
    const result = { ...base };
    for (const [key, value] of Object.entries(over || {})) {
      const both = value && base[key] && typeof value === "object" && typeof base[key] === "object";
      result[key] = both && !Array.isArray(value) ? merge(base[key], value) : value;
    }
    return result;
  }

  // Ticks of a time axis: unambiguous in every language, the year below where it changes.
  const DATES = [
    { dtickrange: [null, 60000], value: "%H:%M:%S\n%Y-%m-%d" },
    { dtickrange: [60000, 86400000], value: "%H:%M\n%Y-%m-%d" },
    { dtickrange: [86400000, "M1"], value: "%d %b\n%Y" },
    { dtickrange: ["M1", "M12"], value: "%b\n%Y" },
    { dtickrange: ["M12", null], value: "%Y" },
  ];

  function look(colours, box) {
    const axis = {
      gridcolor: colours.line,
      linecolor: colours.line,
      zerolinecolor: colours.line,
      tickfont: { size: 11, color: colours.quiet },
      title: { font: { size: 12, color: colours.quiet }, standoff: 8 },
      automargin: true,
    };
    return {
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colours.ink },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      colorway: [colours.accent, colours["unit-b"], colours["unit-c"], colours["unit-d"], colours["unit-a"], colours.quiet],
      margin: { l: 44, r: 12, t: 26, b: 30 },
      height: Number(box.dataset.height) || 260,
      showlegend: false,
      hovermode: "closest",
      dragmode: "zoom",
      hoverlabel: { bgcolor: colours.card, bordercolor: colours.line, font: { family: getComputedStyle(document.body).fontFamily, color: colours.ink, size: 12 } },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: colours.quiet } },
      xaxis: { ...axis, showgrid: false, tickformatstops: DATES },
      yaxis: axis,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.quiet, activecolor: colours.accent },
    };
  }

  // Requirements dashed and labelled in place, events as grey bars, changes as red lines with a word, spans shaded.
  function marks(given, colours, phone) {
    const shapes = [];
    const notes = [];
    const text = (extra) => ({ showarrow: false, font: { size: 11, color: colours.quiet }, ...extra });
    for (const span of given?.spans || []) {
      shapes.push({ type: "rect", layer: "below", yref: "paper", y0: 0, y1: 1, x0: span.x0, x1: span.x1 ?? span.open, line: { width: 0 }, fillcolor: faint(colours.fail, 0.08) });
      if (span.label && !phone) notes.push(text({ x: span.x0, y: 0, yref: "paper", xanchor: "left", yanchor: "bottom", xshift: 4, text: span.label }));
    }
    for (const event of given?.events || []) {
      shapes.push({ type: "line", layer: "below", yref: "paper", y0: 0, y1: 1, x0: event.x, x1: event.x, line: { width: 3, color: faint(colours.quiet, 0.4) } });
      if (!phone) notes.push(text({ x: event.x, y: 1, yref: "paper", xanchor: "left", yanchor: "top", xshift: 4, text: plain(event.label), captureevents: Boolean(event.url), name: event.url || undefined }));
    }
    for (const change of given?.changes || []) {
      shapes.push({ type: "line", yref: "paper", y0: 0, y1: 1, x0: change.x, x1: change.x, line: { width: 1.2, color: colours.fail } });
      notes.push(text({ x: change.x, y: 1, yref: "paper", xanchor: "right", yanchor: "top", xshift: -4, text: plain(change.label), font: { size: 11, color: colours.fail } }));
    }
    for (const line of given?.requirements || []) {
      const across = line.x0 == null && line.x1 == null;
      shapes.push({ type: "line", xref: across ? "paper" : "x", x0: across ? 0 : line.x0 ?? line.x1, x1: across ? 1 : line.x1 ?? line.open ?? line.x0, y0: line.y, y1: line.y, line: { width: 1.2, dash: "dash", color: colours.fail } });
      notes.push(text({ xref: "paper", x: 1, y: line.y, xanchor: "right", yanchor: "bottom", text: plain(line.label), font: { size: 11, color: colours.fail } }));
    }
    return { shapes, annotations: notes };
  }
  // Quantity and unit stand above the axis, to be read without turning the head.
  function nameAxis(layout, colours, width) {
    const text = layout.yaxis.title?.text;
    if (!text) return;
    const lines = folded(text, Math.max(20, (width - layout.margin.l - layout.margin.r) / 6.6));
    layout.yaxis = { ...layout.yaxis, title: undefined };
    layout.margin = { ...layout.margin, t: layout.margin.t + 15 * (lines.length - 1) };
    layout.annotations.push({ text: lines.map(plain).join("<br>"), align: "left", showarrow: false, xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom", yshift: 4, font: { size: 12, color: colours.quiet } });
  }
  function folded(text, width) {
    const lines = [""];
    for (const word of String(text).split(" ")) {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length + 1 > width) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines;
  }
  function plain(words) {
    return String(words ?? "").replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
  }
  // A mark that is open to the right ends where the data end.
  function closeMarks(given, data) {
    const times = data.flatMap((trace) => trace.x || []).filter((x) => x != null);
    const last = times.length ? times.reduce((a, b) => (b > a ? b : a)) : undefined;
    for (const mark of [...(given?.spans || []), ...(given?.requirements || [])]) mark.open = last;
  }

  function say(box, text, broken = false) {
    if (window.Plotly && drawn.has(box)) Plotly.purge(box);
    drawn.delete(box);
    const note = document.createElement("p");
    note.className = "plot-note";
    note.textContent = text;
    box.classList.toggle("broken-plot", broken);
    box.replaceChildren(note);
  }
  function hasPoints(figure) {
    return (figure.data || []).some((trace) => [trace.x, trace.y, trace.z, trace.values].some((list) => list && list.length));
  }

  const CONFIG = {
    displaylogo: false,
    responsive: true,
    displayModeBar: "hover",
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    showTips: false,
  };

  async function draw(box, figure) {
    const colours = palette();
    const phone = matchMedia("(max-width: 820px)").matches;
    closeMarks(figure.marks, figure.data);
    const given = themed(figure);
    const marked = marks(figure.marks, colours, phone);
    const layout = merge(look(colours, box), given.layout);
    layout.shapes = [...marked.shapes, ...(given.layout?.shapes || [])];
    layout.annotations = [...marked.annotations, ...(given.layout?.annotations || [])];
    nameAxis(layout, colours, box.clientWidth);
    const data = given.data.map((trace) => ({
      ...trace,
      ...(trace.error_y ? { error_y: { thickness: 1, width: 0, color: faint(trace.marker?.color || colours.accent, 0.55), ...trace.error_y } } : {}),
    }));
    const config = { ...CONFIG, toImageButtonOptions: { format: "png", scale: 2, filename: box.id || "plot" } };
    const first = !drawn.has(box);
    if (first) box.replaceChildren();
    drawn.set(box, figure);
    await Plotly.react(box, data, layout, config);
    if (!first) return;
    box.on("plotly_click", (event) => open(addressOf(event.points[0])));
    box.on("plotly_clickannotation", (event) => open(own(event.annotation.name)));
  }
  function addressOf(point) {
    const raw = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
    return own(raw);
  }
  // Only addresses of this site are followed.
  function own(address) {
    return typeof address === "string" && /^\/(?![/\\])/.test(address) ? address : null;
  }
  function open(address) {
    if (address) location.assign(address);
  }

  async function fill(box) {
    if (box.dataset.filled) return;
    box.dataset.filled = "yes";
    if (!window.Plotly) return say(box, "The plot library did not load. Reload the page.", true);
    let figure;
    try {
      if (box.dataset.json) figure = JSON.parse(document.querySelector(box.dataset.json).textContent);
      else figure = await fetchFigure(box.dataset.src);
    } catch (problem) {
      return say(box, `This plot has no data: ${problem.message}`, true);
    }
    if (!hasPoints(figure)) return say(box, figure.empty || box.dataset.empty || "No values yet.");
    try {
      await draw(box, figure);
    } catch (problem) {
      say(box, `This plot could not be drawn: ${problem.message}`, true);
      throw problem;
    }
  }
  async function fetchFigure(address) {
    let answer;
    try {
      answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    } catch {
      throw new Error("the server cannot be reached.");
    }
    const id = answer.headers.get("X-Request-ID");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}.${id ? ` Quote id ${id}.` : ""}`);
    return answer.json();
  }

  function fillAll(root) {
    const boxes = root.matches?.(".plotbox") ? [root] : Array.from(root.querySelectorAll(".plotbox"));
    boxes.forEach(fill);
    for (const box of drawn.keys()) if (!box.isConnected) drawn.delete(box);
  }
  document.addEventListener("mpc:theme", () => {
    for (const [box, figure] of drawn) draw(box, figure);
  });
  document.addEventListener("htmx:afterSettle", (event) => fillAll(event.detail.target?.isConnected ? event.detail.target : document));
  // A form may change what a plot shows: document.dispatchEvent(new CustomEvent("mpc:plot", {detail: {id, src}}))
  document.addEventListener("mpc:plot", (event) => {
    const box = document.getElementById(event.detail.id);
    box.dataset.src = event.detail.src;
    delete box.dataset.filled;
    fill(box);
  });
  fillAll(document);
})();
