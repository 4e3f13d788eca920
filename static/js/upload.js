// Sends a file in pieces. A lost connection is tried again; after a reload the same file goes on where it was.
// <form data-uploads="/api/v1/uploads/"> with one file field; without this script the form is sent as any other.
(() => {
  "use strict";
  const PIECE = 8 * 1024 * 1024;
  const WAITS_S = [1, 2, 5, 10, 20, 30];
  const PATIENCE = 20; // failures in a row without a byte that came through
  const $ = (selector, root) => root.querySelector(selector);

  class Ended extends Error {} // with words for people; nothing to try again

  // What the browser remembers of a file that is under way; a browser that keeps nothing begins anew.
  const memory = {
    key: (file) => `mpc.upload ${file.name} ${file.size} ${file.lastModified}`,
    get: (file) => { try { return localStorage.getItem(memory.key(file)); } catch { return null; } },
    set: (file, url) => { try { localStorage.setItem(memory.key(file), url); } catch { /* not kept */ } },
    drop: (file) => { try { localStorage.removeItem(memory.key(file)); } catch { /* not kept */ } },
  };

  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;

  // One request. Resolves with status 0 when the connection failed.
  function ask(job, method, url, { body = null, headers = {}, onProgress } = {}) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      job.request = request;
      request.open(method, url);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", job.token);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (onProgress) request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
      request.addEventListener("loadend", () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* no JSON: an error page */ }
        resolve({ status: request.status, answer, header: (name) => request.getResponseHeader(name) });
      });
      request.send(body);
    });
  }

  function wait(job, seconds) {
    return new Promise((resolve) => {
      const done = () => { clearTimeout(timer); removeEventListener("online", done); resolve(); };
      const timer = setTimeout(done, seconds * 1000);
      addEventListener("online", done);
      job.wake = done;
    });
  }

  function said(reply, otherwise) {
    const answer = reply.answer;
    const words = answer.detail || answer.message || Object.values(answer).flat().filter((x) => typeof x === "string").join(" ");
    return words || otherwise;
  }

  async function begin(job) {
    const known = memory.get(job.file);
    if (known) {
      const reply = await patiently(job, () => ask(job, "GET", known));
      if (reply.status === 200 && reply.answer.state === "open" && reply.answer.size === job.file.size) return reply.answer;
      memory.drop(job.file);
    }
    const body = JSON.stringify({ name: job.file.name, size: job.file.size });
    const reply = await patiently(job, () => ask(job, "POST", job.uploads, { body, headers: { "Content-Type": "application/json" } }));
    if (reply.status !== 201) throw new Ended(said(reply, `The upload could not begin (${reply.status}).`));
    memory.set(job.file, reply.answer.url);
    return reply.answer;
  }

  const passing = (status) => status === 0 || status === 429 || status >= 500;

  // Ask again after a failure that may pass.
  async function patiently(job, request) {
    for (;;) {
      const reply = await request();
      if (job.cancelled) throw new Ended("");
      if (!passing(reply.status)) { job.failures = 0; return reply; }
      await rest(job, reply, "The connection is lost");
    }
  }

  async function rest(job, reply, words) {
    job.failures += 1;
    const reason = reply.status === 507 || reply.status === 429 ? said(reply, words) : words;
    if (job.failures >= PATIENCE) throw new Ended(`${reason}. What was sent is kept: press Upload to go on.`);
    const seconds = Number(reply.header("Retry-After")) || WAITS_S[Math.min(job.failures, WAITS_S.length) - 1];
    job.say(`${reason}; trying again in ${seconds} s.`);
    await wait(job, seconds);
    if (job.cancelled) throw new Ended("");
  }

  async function sendAll(job) {
    let state = await begin(job);
    job.url = state.url;
    let offset = state.offset;
    if (offset) job.say(`Goes on at ${megabytes(offset)}.`);
    while (state.state === "open") {
      const piece = job.file.slice(offset, offset + PIECE);
      const reply = await ask(job, "PATCH", job.url, {
        body: piece,
        headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
        onProgress: (sent) => job.show(offset + sent),
      });
      if (job.cancelled) throw new Ended("");
      if (reply.status === 200) {
        job.failures = 0;
        state = reply.answer;
        offset = state.offset;
        job.show(offset);
      } else if (reply.status === 409 && reply.header("Upload-Offset")) {
        offset = Number(reply.header("Upload-Offset"));
      } else if (reply.status === 409) {
        await rest(job, reply, "Another window sends this file");
      } else if (passing(reply.status)) {
        await rest(job, reply, "The connection is lost");
        const now = await patiently(job, () => ask(job, "GET", job.url));
        if (now.status === 200) { state = now.answer; offset = state.offset; }
      } else {
        memory.drop(job.file);
        throw new Ended(said(reply, `The upload ended (${reply.status}).`));
      }
    }
    memory.drop(job.file);
    if (state.state !== "complete") throw new Ended(state.message || `The upload is ${state.state}.`);
    return state.page;
  }

  async function upload(form, file) {
    const place = $(".upload-progress", form);
    const bar = $("progress", place);
    const words = $("[role=status]", place);
    const stop = $("[data-upload-cancel]", form);
    const send = $("button[type=submit]", form);
    const wrong = $("[data-upload-error]", form);
    const job = {
      file,
      uploads: form.dataset.uploads,
      token: $("[name=csrfmiddlewaretoken]", form).value,
      failures: 0,
      cancelled: false,
      say: (text) => { words.textContent = text; },
      show: (sent) => {
        bar.value = sent / file.size;
        words.textContent = sent < file.size ? `${megabytes(sent)} of ${megabytes(file.size)}` : "All is sent; the centre looks at it.";
      },
    };
    const cancel = async () => {
      job.cancelled = true;
      job.request?.abort();
      job.wake?.();
      memory.drop(file);
      if (job.url) await ask(job, "DELETE", job.url);
      job.say("Cancelled; nothing was kept.");
    };
    place.hidden = false;
    wrong.hidden = true;
    stop.hidden = false;
    send.disabled = true;
    stop.addEventListener("click", cancel);
    try {
      location.assign(await sendAll(job));
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      if (error.message) { wrong.textContent = error.message; wrong.hidden = false; job.say(""); }
    } finally {
      stop.removeEventListener("click", cancel);
      stop.hidden = true;
      send.disabled = false;
    }
  }

  // Before htmx hears of it, which would send the form in one piece.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-uploads]");
    const file = form && $("input[type=file]", form).files[0];
    if (!file || !file.size) return; // the server says what is wrong
    event.preventDefault();
    event.stopImmediatePropagation();
    upload(form, file);
  }, true);
})();
