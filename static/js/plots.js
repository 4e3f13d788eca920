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

  // Requirements dashed and labelled in place (goals dotted), events as grey bars, changes as red lines with a word,
  // spans shaded. Labels of events stand in up to three rows where there is room; the others tell their name when asked.
  function marks(given, colours, box, range) {
    const phone = matchMedia("(max-width: 820px)").matches;
    const shapes = [];
    const notes = [];
    const text = (extra) => ({ showarrow: false, font: { size: 11, color: colours.quiet }, ...extra });
    for (const span of given?.spans || []) {
      shapes.push({ type: "rect", layer: "below", yref: "paper", y0: 0, y1: 1, x0: span.x0, x1: span.x1 ?? span.open, line: { width: 0 }, fillcolor: faint(colours.fail, 0.08) });
      if (span.label && !phone) notes.push(text({ x: span.x0, y: 0, yref: "paper", xanchor: "left", yanchor: "bottom", xshift: 4, text: plain(span.label) }));
    }
    const free = room(range, box.clientWidth - 60);
    let rows = 0;
    const crowd = (given?.events || []).length > 12;  // many bars side by side would hide what they explain
    for (const event of given?.events || []) {
      if (event.end) shapes.push({ type: "rect", layer: "below", yref: "paper", y0: 0, y1: 1, x0: event.x, x1: event.end, line: { width: 0 }, fillcolor: faint(colours.quiet, crowd ? 0.08 : 0.14) });
      shapes.push({ type: "line", layer: "below", yref: "paper", y0: 0, y1: 1, x0: event.x, x1: event.x, line: { width: event.end || crowd ? 1 : 3, color: faint(colours.quiet, crowd ? 0.3 : 0.4) } });
      const link = { captureevents: Boolean(event.url || event.hint), name: event.url || undefined, hovertext: event.hint ? plain(event.hint) : undefined, hoverlabel: { bgcolor: colours.card, bordercolor: colours.line, font: { color: colours.ink, size: 12 } } };
      const row = phone ? null : free(event.x, event.label);
      rows = Math.max(rows, row === null ? (inside(event.x, range) ? 1 : 0) : row + 1);
      if (row !== null) notes.push(text({ x: event.x, y: 1, yref: "paper", xanchor: "left", yanchor: "bottom", xshift: -2, yshift: 2 + 14 * row, text: plain(event.label), ...link }));
      else if (inside(event.x, range)) notes.push(text({ x: event.x, y: 1, yref: "paper", xanchor: "center", yanchor: "bottom", text: "▾", ...link }));
    }
    const words = room(range, box.clientWidth, 1);
    for (const change of given?.changes || []) {
      const shade = change.explained ? colours.idle : colours.fail;
      const ref = change.axis ? `${change.axis} domain` : "paper";
      shapes.push({ type: "line", yref: ref, y0: 0, y1: 1, x0: change.x, x1: change.x, line: { width: 1.2, color: shade, dash: change.explained ? "dot" : "solid" } });
      const fits = change.axis || words(change.x, change.label) !== null;
      if (fits) notes.push(text({ x: change.x, y: change.axis ? 0.98 : 0.86, yref: ref, xanchor: "right", yanchor: "top", xshift: -4, text: plain(change.label), font: { size: 11, color: shade }, captureevents: Boolean(change.hint), hovertext: change.hint ? plain(change.hint) : undefined }));
    }
    for (const line of given?.requirements || []) {
      const across = line.x0 == null && line.x1 == null;
      const axis = line.axis || "y";
      const shade = line.goal ? colours.idle : colours.fail;
      const [x0, x1] = [line.x0 ?? range?.[0] ?? line.x1, line.x1 ?? range?.[1] ?? line.open ?? line.x0];
      shapes.push({ type: "line", yref: axis, xref: across ? "paper" : "x", x0: across ? 0 : x0, x1: across ? 1 : x1, y0: line.y, y1: line.y, line: { width: 1.2, dash: line.goal ? "dot" : "dash", color: shade } });
      const ends = line.x1 != null && inside(line.x1, range);
      notes.push(text({ xref: ends ? "x" : "paper", yref: axis, x: ends ? line.x1 : 0, y: height(line.y, axis, box), xanchor: ends ? "right" : "left", yanchor: "bottom", xshift: ends ? -4 : 4, text: plain(line.label), font: { size: 11, color: shade }, bgcolor: faint(colours.card, 0.75), borderpad: 0 }));
    }
    return { shapes, annotations: notes, rows };
  }
  const at = (x) => (typeof x === "string" ? Date.parse(x) : Number(x));
  function inside(x, range) {
    return !range || (at(x) >= at(range[0]) && at(x) <= at(range[1]));
  }
  // Says in which row a label that begins at x has room, or null.
  function room(range, width, rows = 3) {
    const taken = new Array(rows).fill(-Infinity);
    return (x, label) => {
      if (!range) return 0;
      if (!inside(x, range)) return null;
      const begin = (width * (at(x) - at(range[0]))) / (at(range[1]) - at(range[0]));
      const end = begin + 12 + 6.2 * String(label).length;
      if (end > width) return null;
      const row = taken.findIndex((used) => used <= begin);
      if (row < 0) return null;
      taken[row] = end;
      return row;
    };
  }
  // Where an annotation stands on a logarithmic axis is told as a power of ten; a line is told by its height.
  function height(y, axis, box) {
    const log = drawn.get(box)?.layout?.[`yaxis${axis.slice(1)}`]?.type === "log";
    return log ? Math.log10(y) : y;
  }
  // Quantity and unit stand above the axis, to be read without turning the head.
  function nameAxis(layout, colours, width, above) {
    const text = layout.yaxis.title?.text;
    if (!text) return;
    const lines = folded(text, Math.max(20, (width - layout.margin.l - layout.margin.r) / 6.6));
    layout.yaxis = { ...layout.yaxis, title: undefined };
    layout.margin = { ...layout.margin, t: layout.margin.t + 15 * (lines.length - 1) };
    layout.annotations.push({ text: lines.map(plain).join("<br>"), align: "left", showarrow: false, xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom", yshift: above, font: { size: 12, color: colours.quiet } });
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

  // Plots that share one time: they have a way back of their own, beside the plot.
  const LINKED = { doubleClick: false, modeBarButtons: [["zoom2d", "pan2d", "toImage"]] };

  async function draw(box, figure) {
    const colours = palette();
    closeMarks(figure.marks, figure.data);
    const given = themed(figure);
    const first = !drawn.has(box);
    drawn.set(box, figure);
    const marked = marks(figure.marks, colours, box, figure.layout?.xaxis?.range);
    const layout = merge(look(colours, box), given.layout);
    layout.shapes = [...marked.shapes, ...(given.layout?.shapes || [])];
    layout.annotations = [...marked.annotations, ...(given.layout?.annotations || [])];
    layout.margin = { ...layout.margin, t: layout.margin.t + 14 * marked.rows };
    nameAxis(layout, colours, box.clientWidth, 4 + 14 * marked.rows);
    const data = given.data.map((trace) => ({
      ...trace,
      ...(trace.shade ? { fillcolor: faint(trace.fillcolor, 0.16), opacity: 1 } : {}),
      ...(trace.error_y ? { error_y: { thickness: 1, width: 0, color: faint(trace.marker?.color || colours.accent, 0.55), ...trace.error_y } } : {}),
    }));
    const config = { ...CONFIG, ...(box.matches("[data-linked]") ? LINKED : {}), toImageButtonOptions: { format: "png", scale: 2, filename: box.id || "plot" } };
    if (first) box.replaceChildren();
    await Plotly.react(box, data, layout, config);
    if (!first) return;
    box.on("plotly_click", (event) => {
      const place = { x: event.event.clientX, y: event.event.clientY };
      if (tell(box, "mpc:point", { point: event.points[0], place })) open(addressOf(event.points[0]));
    });
    box.on("plotly_relayout", (change) => tell(box, "mpc:moved", { change, figure: drawn.get(box) }));
    box.on("plotly_doubleclick", () => tell(box, "mpc:doubleclick", {}));
    box.on("plotly_clickannotation", (event) => open(own(event.annotation.name)));
  }
  // Other scripts may do more with a plot; false when one did what would be done here.
  function tell(box, name, detail) {
    return box.dispatchEvent(new CustomEvent(name, { bubbles: true, cancelable: true, detail }));
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
    const { src } = box.dataset;
    let figure;
    try {
      if (box.dataset.json) figure = JSON.parse(document.querySelector(box.dataset.json).textContent);
      else figure = await fetchFigure(box.dataset.src);
    } catch (problem) {
      if (box.dataset.src !== src) return;
      return say(box, `This plot has no data: ${problem.message}`, true);
    }
    if (box.dataset.src !== src) return; // something else was asked for meanwhile
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
  // A form may change what a plot shows: document.dispatchEvent(new CustomEvent("mpc:plot", {detail: {id, src}})); without
  // src the figure in the page is read anew.
  document.addEventListener("mpc:plot", (event) => {
    const box = document.getElementById(event.detail.id);
    if (event.detail.src) box.dataset.src = event.detail.src;
    delete box.dataset.filled;
    fill(box);
  });
  fillAll(document);
})();
