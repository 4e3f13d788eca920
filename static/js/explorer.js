// The trend explorer: controls that belong to the filter form, zoom that asks the server for finer points, one time in
// all plots of the page, a card at the point that was clicked. The address always says what is shown.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const linked = () => $$(".plotbox[data-linked]").filter((box) => box.isConnected);
  const before = []; // queries before each zoom of this visit
  let moving = false; // the page itself moves the plots

  // --- The address ---------------------------------------------------------------------------------------------------
  function show(change) {
    const query = new URLSearchParams(location.search);
    change(query);
    query.delete("page");
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    history.pushState({ htmx: true }, "", address);
    const kept = $("#filters [name=zoom]");
    if (kept) kept.value = query.get("zoom") || "";
    return htmx.ajax("GET", address, { target: "#results", swap: "outerHTML show:none" });
  }
  function zoomTo(zoom, ranges = []) {
    before.push(location.search);
    return show((query) => {
      if (zoom) query.set("zoom", zoom);
      for (const [metric, band, low, high] of ranges) {
        const start = `${metric}:${band}:`;
        const others = query.getAll("yrange").filter((text) => !text.startsWith(start));
        query.delete("yrange");
        for (const text of others) query.append("yrange", text);
        query.append("yrange", `${start}${low}:${high}`);
      }
    });
  }
  function back() {
    const earlier = new URLSearchParams(before.pop() ?? "");
    return show((query) => {
      query.delete("zoom");
      query.delete("yrange");
      if (earlier.get("zoom")) query.set("zoom", earlier.get("zoom"));
      for (const text of earlier.getAll("yrange")) query.append("yrange", text);
    });
  }

  // --- Zoom ----------------------------------------------------------------------------------------------------------
  // Plotly tells times without a zone; all of them are UTC. Whole seconds are as fine as times are told.
  function moment(text, up) {
    const at = typeof text === "number" ? text : Date.parse(/Z$/.test(text) ? text : `${String(text).replace(" ", "T")}${String(text).length > 10 ? "Z" : "T00:00:00Z"}`);
    return Number.isFinite(at) ? `${new Date((up ? Math.ceil : Math.floor)(at / 1000) * 1000).toISOString().slice(0, 19)}Z` : null;
  }
  function timeOf(change) {
    const range = change["xaxis.range"] || (change["xaxis.range[0]"] !== undefined && [change["xaxis.range[0]"], change["xaxis.range[1]"]]);
    if (!range) return null;
    const [begin, end] = [moment(range[0], false), moment(range[1], true)];
    return begin && end && begin < end ? [begin, end] : null;
  }
  function heightsOf(change, figure) {
    const found = [];
    for (const [axis, band] of Object.entries(figure.axes || {})) {
      const range = change[`${axis}.range`] || (change[`${axis}.range[0]`] !== undefined && [change[`${axis}.range[0]`], change[`${axis}.range[1]`]]);
      if (range) found.push([figure.metric, band, ...range.map((y) => Number(Number(y).toPrecision(6)))]);
    }
    return found;
  }
  document.addEventListener("mpc:moved", async (event) => {
    const box = event.target;
    if (moving || !box.matches("[data-linked]")) return;
    const { change, figure } = event.detail;
    const time = timeOf(change);
    const heights = heightsOf(change, figure);
    if (!time && !heights.length) return;
    if (time) await together(box, time);
    await zoomTo(time?.join("~"), heights);
  });
  // At once, with the points that are there; the finer ones follow.
  async function together(box, time) {
    moving = true;
    try {
      await Promise.all(linked().filter((other) => other !== box && other.data).map((other) => Plotly.relayout(other, { "xaxis.range": time })));
    } finally {
      moving = false;
    }
  }
  document.addEventListener("mpc:doubleclick", (event) => event.target.matches("[data-linked]") && new URLSearchParams(location.search).has("zoom") && back());

  // A plot stays while what is around it is fetched anew; then it is drawn by the figure that came along.
  const shown = new WeakMap(); // plot -> text of its figure
  function follow() {
    for (const figure of $$("[data-plot-of]")) {
      const box = document.getElementById(figure.dataset.plotOf);
      if (!box) continue;
      const text = figure.textContent;
      const known = shown.get(box);
      shown.set(box, text);
      if (known === undefined || known === text) continue;
      box.dataset.height = figure.dataset.height;
      box.style.minHeight = `${figure.dataset.height}px`;
      box.setAttribute("aria-label", figure.dataset.label);
      document.dispatchEvent(new CustomEvent("mpc:plot", { detail: { id: box.id } }));
    }
  }
  document.addEventListener("htmx:afterSettle", follow);
  follow();

  // --- Controls ------------------------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.matches("[form=filters]")) $("#filters").requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const next = event.target.closest("[data-next-option]");
    if (next) {
      const choice = $(next.dataset.nextOption);
      choice.selectedIndex = (choice.selectedIndex + 1) % choice.options.length;
      choice.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (event.target.closest("[data-zoom-back]")) back();
    const zoom = event.target.closest("[data-zoom-to]");
    if (zoom) {
      card().hidePopover();
      zoomTo(zoom.dataset.zoomTo);
    }
    if (event.target.closest("[data-card-close]")) card().hidePopover();
  });

  // --- What stands behind a point --------------------------------------------------------------------------------------
  const card = () => $("#point-card");
  function addressOf(point) {
    const { series, resolution } = point.data.meta || {};
    if (series === undefined || point.customdata === undefined) return null;
    if (resolution === "value") return card().dataset.point.replace("/0/", `/${Number(point.customdata)}/`);
    const day = new Date(Number(point.customdata) * 86400000).toISOString().slice(0, 10);
    return `${card().dataset.bucket.replace("/0/", `/${Number(series)}/`)}?by=${resolution}&start=${day}`;
  }
  document.addEventListener("mpc:point", async (event) => {
    const { point, place } = event.detail;
    const address = addressOf(point);
    if (!address) return;
    event.preventDefault();
    const box = card();
    await htmx.ajax("GET", address, { target: "#point-card", swap: "innerHTML" });
    if (!box.matches(":popover-open")) box.showPopover();
    const room = 8;
    const left = Math.max(room, Math.min(place.x + 14, innerWidth - box.offsetWidth - room));
    const below = place.y + 14 + box.offsetHeight + room < innerHeight;
    box.style.left = `${left}px`;
    box.style.top = `${Math.max(room, below ? place.y + 14 : place.y - box.offsetHeight - 14)}px`;
    $("a.main", box)?.focus({ preventScroll: true });
  });
})();
