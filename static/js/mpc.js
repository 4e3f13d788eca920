// What every page does in the browser: keyboard, theme, clock, confirmation, menus, file drop, copying, polling.
// No framework and no inline handlers: elements say what they want with data attributes.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // --- Toasts ------------------------------------------------------------------------------------------------------
  function toast(text, level = "info") {
    const place = $("#toasts");
    if (!place) return;
    const note = document.createElement("div");
    note.className = `note ${level}`;
    const words = document.createElement("span");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "note-close";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    note.append(words, close);
    place.append(note);
    if (level !== "error") setTimeout(() => note.remove(), 6000);
  }
  // A response may ask for one: HX-Trigger: {"mpc:message": {"text": "...", "level": "success"}}
  document.addEventListener("mpc:message", (event) => toast(event.detail.text, event.detail.level));

  // --- Theme: as the system, light, dark -----------------------------------------------------------------------------
  const THEMES = ["auto", "light", "dark"];
  function theme() {
    return document.documentElement.dataset.theme || "auto";
  }
  function setTheme(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    try {
      if (name === "auto") localStorage.removeItem("mpc-theme");
      else localStorage.setItem("mpc-theme", name);
    } catch {
      toast("This browser keeps no settings: the theme holds for this page only.");
    }
    document.dispatchEvent(new CustomEvent("mpc:theme"));
  }
  function nameTheme() {
    for (const button of $$("[data-theme-toggle]")) button.title = `Theme: ${theme() === "auto" ? "as the system" : theme()}`;
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("mpc:theme")));

  // --- Clock ---------------------------------------------------------------------------------------------------------
  function tick() {
    const now = `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`;
    for (const clock of $$("[data-utc-clock]")) if (clock.textContent !== now) clock.textContent = now;
  }
  setInterval(tick, 5000);

  // --- Confirmation --------------------------------------------------------------------------------------------------
  // data-confirm="What will happen?" on a button or link; data-confirm-label names the button that does it.
  function ask(element, then) {
    const dialog = $("#confirm");
    $("#confirm-text", dialog).textContent = element.dataset.confirm;
    const label = element.dataset.confirmLabel || element.textContent.trim();
    $("[data-confirm-yes]", dialog).textContent = label.replace(/…$/, "") || "Do it";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => dialog.returnValue === "yes" && then(), { once: true });
    dialog.showModal();
  }
  document.addEventListener(
    "click",
    (event) => {
      const element = event.target.closest("[data-confirm]");
      if (!element || element.disabled) return;
      if (element.dataset.confirmed) {
        delete element.dataset.confirmed;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(element, () => {
        element.dataset.confirmed = "yes";
        element.click();
      });
    },
    true,
  );

  // --- Clicks --------------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-dismiss]")) target.closest(".note")?.remove();
    if (target.closest("[data-theme-toggle]")) {
      setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
      nameTheme();
    }
    const opener = target.closest("[data-open]");
    if (opener) openDialog(opener.dataset.open);
    const layer = target.closest("[data-layer]");
    if (layer) toggleLayer(layer);
    const copier = target.closest("[data-copy]");
    if (copier) copy(copier);
    if (!target.closest("dialog")) for (const menu of $$("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  });
  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    if (id === "help") listPageKeys(dialog);
    dialog.showModal();
  }
  // <button data-layer="id" aria-pressed="false"> shows and hides one image over another.
  function toggleLayer(button) {
    const picture = document.getElementById(button.dataset.layer);
    if (!picture) return;
    picture.hidden = !picture.hidden;
    button.setAttribute("aria-pressed", String(!picture.hidden));
  }
  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
    } catch {
      toast(`The browser does not allow copying. The text is: ${button.dataset.copy}`, "warning");
    }
  }
  function listPageKeys(dialog) {
    const place = $("[data-page-keys]", dialog);
    const keys = $$("[data-page-key]").map((e) => `${e.dataset.pageKey} ${e.firstChild.textContent.trim()}`);
    place.hidden = !keys.length;
    $("span", place).textContent = keys.join(" · ");
  }

  // A form is sent once, however often its button is pressed; coming back with the browser's button opens it again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    else form.dataset.sent = "yes";
    const bytes = $$("input[type=file]", form).flatMap((input) => Array.from(input.files)).reduce((sum, file) => sum + file.size, 0);
    if (bytes > 5e6) toast(`Sending ${sizeOf(bytes)}. Keep this page open until it is done.`);
  });
  window.addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // A form that was made before the filters changed goes back to what is shown now.
  document.addEventListener("submit", (event) => {
    const next = $("input[name=next]", event.target);
    if (next && event.target.closest(".list")) next.value = location.pathname + location.search;
  }, true);

  // --- Keyboard ------------------------------------------------------------------------------------------------------
  let waitingForGo = false;
  function isWriting(element) {
    if (element.matches("input[type=checkbox], input[type=radio]")) return false; // they take no letters
    return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
  }
  function rows() {
    return $$("main tbody tr").filter((row) => $("a[href]", row) && row.offsetParent !== null);
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("at"));
    const to = Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by));
    all.forEach((row, index) => row.classList.toggle("at", index === to));
    all[to].scrollIntoView({ block: "nearest" });
    $("a[href]", all[to]).focus({ preventScroll: true });
  }
  function goTo(letter) {
    const link = $(`nav.side a[data-key="${CSS.escape(letter)}"]`);
    if (link) link.click();
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      for (const menu of $$("details.menu[open]")) {
        menu.open = false;
        $("summary", menu).focus();
      }
      if (isWriting(event.target)) event.target.blur();
      return;
    }
    if (isWriting(event.target) || $("dialog[open]")) return;
    if (waitingForGo) {
      waitingForGo = false;
      event.preventDefault();
      goTo(event.key);
      return;
    }
    const doing = {
      "/": () => $("#search")?.select() ?? $("#search")?.focus(),
      f: () => $("#filters :is(input, select)")?.focus(),
      j: () => step(1),
      k: () => step(-1),
      x: $("[data-pick]") ? pickRow : undefined,
      g: () => {
        waitingForGo = true;
        setTimeout(() => (waitingForGo = false), 1500);
      },
      "?": () => openDialog("help"),
    }[event.key];
    if (doing) {
      event.preventDefault();
      doing();
      return;
    }
    if (event.key === "Enter" && event.target === document.body) {
      $("main tr.at a[href]")?.click();
      return;
    }
    const own = event.key.length === 1 ? $(`main [data-page-key="${CSS.escape(event.key)}"]`) : null;
    if (own) {
      event.preventDefault();
      own.click();
    }
  });

  // --- Acting on many rows ---------------------------------------------------------------------------------------------
  function picks() {
    return $$("#results [data-pick]");
  }
  function tellPicks() {
    const form = $("form[data-bulk]");
    const place = form && $("[data-bulk-count]", form);
    if (!place) return;
    const all = picks();
    const ticked = all.filter((box) => box.checked).length;
    const whole = $("[data-bulk-whole]", form)?.checked;
    place.textContent = whole ? "All that match" : ticked ? `${ticked} ticked` : "Tick rows to act on them";
    form.classList.toggle("live", Boolean(whole || ticked));
    const head = $("#results [data-pick-all]");
    if (head) {
      head.checked = ticked > 0 && ticked === all.length;
      head.indeterminate = ticked > 0 && ticked < all.length;
    }
    for (const box of all) box.closest("tr").classList.toggle("picked", box.checked);
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) for (const box of picks()) box.checked = event.target.checked;
    if (event.target.matches("[data-pick-all], [data-pick], [data-bulk-whole]")) tellPicks();
  });
  // Without a ticked row the row that the keys j and k are at is meant.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("form[data-bulk] button[name=action]");
    if (!button || $("[data-bulk-whole]")?.checked || picks().some((box) => box.checked)) return;
    const box = $("#results tr.at [data-pick]");
    if (box) box.checked = true;
    else {
      event.preventDefault();
      toast("Tick rows first, or go to one with j and k.");
    }
  });
  function pickRow() {
    const box = $("#results tr.at [data-pick]");
    if (!box) return;
    box.checked = !box.checked;
    tellPicks();
  }
  document.addEventListener("htmx:afterSwap", tellPicks);
  window.addEventListener("pageshow", tellPicks);

  // --- Files ---------------------------------------------------------------------------------------------------------
  // <label class="drop"><input type="file" multiple data-limit-mb="4096"> ... <ul class="drop-files"></ul></label>
  function sizeOf(bytes) {
    const units = ["B", "kB", "MB", "GB"];
    let index = 0;
    while (bytes >= 1000 && index < units.length - 1) {
      bytes /= 1000;
      index += 1;
    }
    return `${bytes.toFixed(index && bytes < 100 ? 1 : 0)} ${units[index]}`;
  }
  function listFiles(input) {
    const list = $(".drop-files", input.closest(".drop") || input.form || document);
    if (!list) return;
    const limit = Number(input.dataset.limitMb || 0) * 1e6;
    list.replaceChildren(
      ...Array.from(input.files, (file) => {
        const item = document.createElement("li");
        const size = document.createElement("span");
        const over = limit && file.size > limit;
        size.textContent = over ? `${sizeOf(file.size)}, more than ${sizeOf(limit)}` : sizeOf(file.size);
        if (over) item.className = "over-limit";
        item.append(file.name, size);
        return item;
      }),
    );
  }
  document.addEventListener("change", (event) => event.target.matches("input[type=file]") && listFiles(event.target));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.(".drop");
      if (!zone || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind !== "drop") return;
      const input = $("input[type=file]", zone);
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  document.addEventListener("htmx:xhr:progress", (event) => {
    const shown = $("progress", event.target);
    if (!shown || !event.detail.lengthComputable) return;
    shown.hidden = false;
    shown.max = event.detail.total;
    shown.value = event.detail.loaded;
  });

  // --- htmx ----------------------------------------------------------------------------------------------------------
  // Search boxes ask while one types; the change event when one leaves them would only ask the same again.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[hx-get] input[type=search]")) event.stopPropagation();
  }, true);
  // A select that says nothing: empty, or Django's "unknown" of a yes-or-no question.
  function saysNothing(form, name, value) {
    return value === "" || (value === "unknown" && form.elements[name]?.selectedIndex === 0);
  }
  // Empty fields stay out of the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail;
    if (!elt.matches("form[data-drop-empty]")) return;
    for (const name of Array.from(new Set(parameters.keys ? parameters.keys() : Object.keys(parameters)))) {
      const kept = (parameters.getAll ? parameters.getAll(name) : [parameters[name]].flat()).filter((value) => !saysNothing(elt, name, value));
      delete parameters[name];
      if (parameters.delete) parameters.delete(name);
      for (const value of kept) parameters.append ? parameters.append(name, value) : (parameters[name] = kept);
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-drop-empty]") || event.target.hasAttribute("hx-get")) return;
    for (const field of event.target.elements) if (saysNothing(event.target, field.name, field.value)) field.disabled = true;
  });
  // A hidden tab does not ask the server what nobody sees.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && /\bevery\b/.test(event.detail.elt.getAttribute("hx-trigger") || "")) event.preventDefault();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const id = xhr.getResponseHeader("X-Request-ID");
    const said = { 403: "You may not do this.", 404: "This is no longer there.", 413: "This is too large." }[xhr.status];
    toast(`${said || `The server answered ${xhr.status}.`} Nothing here was changed.${id ? ` Id ${id}` : ""}`, "error");
  });
  let offline = false;
  document.addEventListener("htmx:sendError", () => {
    if (!offline) toast("The server cannot be reached. What is shown may be old; it is asked again.", "error");
    offline = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && offline) {
      offline = false;
      toast("The server answers again.", "success");
    }
  });

  // --- Tables on a phone: cells carry the title of their column -----------------------------------------------------------
  function labelCells(root) {
    for (const table of $$("table:not(.keep)", root)) {
      const titles = $$("thead th", table).map((th) => th.textContent.trim());
      if (!titles.length) continue;
      for (const row of table.tBodies[0]?.rows || []) {
        Array.from(row.cells).forEach((cell, index) => {
          if (cell.tagName !== "TD") return;
          if (cell.dataset.label === undefined) cell.dataset.label = titles[index] || "";
          const length = cell.textContent.trim().length;
          if (length <= 14 && !cell.querySelector("input, button")) cell.dataset.short = "";
          else if (length > 24) cell.dataset.long = "";
        });
      }
    }
  }
  // Logs open at their end, and stay there while the reader does.
  function scrollLogs(root) {
    for (const log of $$(".log[data-follow]", root)) log.scrollTop = log.scrollHeight;
  }
  let following = new Set();
  document.addEventListener("htmx:beforeSwap", () => {
    following = new Set($$(".log[data-follow]").filter((log) => log.scrollTop + log.clientHeight < log.scrollHeight - 30).map((log) => log.id));
  });
  function arrive(root) {
    labelCells(root);
    for (const log of $$(".log[data-follow]", root)) if (!following.has(log.id)) log.scrollTop = log.scrollHeight;
  }
  document.addEventListener("htmx:afterSwap", (event) => arrive(event.detail.target?.isConnected ? event.detail.target.parentNode || document : document));

  // --- Products and quality control ------------------------------------------------------------------------------------
  // A form that the server sends back with what is wrong (422) takes the place of the one that was sent.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 422) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches("input[type=file][data-limit-mb]")) return;
    const limit = Number(input.dataset.limitMb);
    const large = Array.from(input.files).find((file) => file.size > limit * 1048576);
    input.setCustomValidity(large ? `${large.name} has ${sizeOf(large.size)}; at most ${limit} MB are taken.` : "");
  });
  // How far an upload is, in words too.
  document.addEventListener("htmx:xhr:progress", (event) => {
    const place = $(".upload-progress", event.target);
    const { lengthComputable, loaded, total } = event.detail;
    if (!place || !lengthComputable) return;
    place.hidden = false;
    const done = loaded >= total;
    $("span", place).textContent = done ? "All is sent; the centre looks at it." : `${sizeOf(loaded)} of ${sizeOf(total)}`;
  });
  // A focal plane is one stop of the Tab key; arrows move in it, and it keeps the place when it is drawn anew.
  let place = null;
  function oneStop(plane) {
    const cells = $$("a.cell", plane);
    if (!cells.length || cells.some((cell) => cell.tabIndex < 0)) return;
    cells.forEach((cell, index) => (cell.tabIndex = index ? -1 : 0));
  }
  function at(cell) {
    const row = cell.closest(".fp-row");
    return { row: $$(".fp-row", row.parentNode).indexOf(row), column: Array.from(row.children).indexOf(cell) };
  }
  function moveTo(plane, cell) {
    for (const other of $$("a.cell", plane)) other.tabIndex = other === cell ? 0 : -1;
    cell.focus();
  }
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.(".fp a.cell");
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] || [];
    if (!cell || down === undefined) return;
    event.preventDefault();
    const plane = cell.closest(".fp");
    const rows = $$(".fp-row", plane);
    let { row, column } = at(cell);
    for (row += down, column += right; rows[row]?.children[column]; row += down, column += right) {
      if (rows[row].children[column].matches("a.cell")) return moveTo(plane, rows[row].children[column]);
    }
  });
  document.addEventListener("htmx:beforeSwap", () => {
    const cell = document.activeElement?.closest?.(".fp a.cell");
    place = cell ? at(cell) : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const plane of $$(".fp")) oneStop(plane);
    const cell = place && $$(".fp-row")[place.row]?.children[place.column];
    if (cell?.matches("a.cell") && document.activeElement === document.body) moveTo(cell.closest(".fp"), cell);
    place = null;
  });
  for (const plane of $$(".fp")) oneStop(plane);
  // What was asked for beside a long list is brought into sight: data-reveal="#id" on the link or around it.
  document.addEventListener("htmx:afterSettle", (event) => {
    const asked = event.detail.requestConfig?.elt?.closest("[data-reveal]");
    if (asked) $(asked.dataset.reveal)?.scrollIntoView({ block: "nearest" });
  });

  tick();
  nameTheme();
  labelCells(document);
  scrollLogs(document);
  window.mpc = { toast };
})();
