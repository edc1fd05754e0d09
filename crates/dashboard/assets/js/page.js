// What every page does in the browser: ages that tick, times in the reader's zone, colours, copying, asking before what cannot
// be undone, and choosing rows. Without this file everything still reads and every form still works.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // A sentence for who looks and for who listens; it goes after a while.
  const SAID_MS = 5000;
  let quiet = 0;
  const say = (text, good = true) => {
    const said = document.getElementById("said");
    if (!said) return;
    clearTimeout(quiet);
    said.textContent = text;
    said.classList.toggle("t-bad", !good);
    quiet = setTimeout(() => {
      said.textContent = "";
    }, SAID_MS);
  };
  const remember = (name, value) => {
    document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Strict`;
  };
  const remembered = (name) =>
    document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

  // --- ages ---

  // The server's clock counts: a browser whose clock is wrong would show a wrong age.
  const main = document.getElementById("main");
  const ahead = main?.dataset.now ? Date.now() - Number(main.dataset.now) : 0;

  const two = (big, unit, rest, lower) => (rest > 0 ? `${big} ${unit} ${rest} ${lower}` : `${big} ${unit}`);
  const duration = (ms) => {
    const s = Math.floor(ms / 1000);
    if (ms < 1000) return `${Math.max(0, Math.floor(ms))} ms`;
    if (s < 10) return `${s}.${Math.floor((ms % 1000) / 100)} s`;
    if (s < 60) return `${s} s`;
    if (s < 3600) return two(Math.floor(s / 60), "m", s % 60, "s");
    if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "m");
    return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
  };
  const tick = () => {
    if (document.hidden) return;
    const now = Date.now() - ahead;
    for (const time of document.querySelectorAll("time[data-age], time[data-since]")) {
      const ms = Math.max(0, now - Date.parse(time.dateTime));
      // A tenth of a second that changes once a second only flickers.
      const text = duration(ms < 10000 && ms >= 1000 ? ms - (ms % 1000) : ms).replace(".0 s", " s");
      const words = !("age" in time.dataset) ? text : ms < 1000 ? "just now" : `${text} ago`;
      if (time.textContent !== words) time.textContent = words;
    }
  };
  setInterval(tick, 1000);

  // --- time zone ---

  const pad = (number) => String(number).padStart(2, "0");
  const local = (at) =>
    `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const zone = () => (remembered("mcpanel_zone") === "local" ? "local" : "utc");
  const times = () => {
    const here = zone() === "local";
    for (const time of document.querySelectorAll("time[data-time]")) {
      const at = new Date(time.dateTime);
      const exact = time.dataset.time === "exact";
      const text = here
        ? local(at) + (exact ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : "")
        : `${time.dateTime.slice(0, exact ? 23 : 19).replace("T", " ")} UTC`;
      if (time.textContent !== text) time.textContent = text;
    }
    const word = document.getElementById("zone-word");
    if (word) word.textContent = here ? "Your time" : "UTC";
  };
  const turnZone = () => {
    remember("mcpanel_zone", zone() === "local" ? "utc" : "local");
    times();
    say(zone() === "local" ? "Times are in your zone" : "Times are in UTC");
  };

  // --- colours ---

  const turnTheme = () => {
    const next = { auto: "light", light: "dark", dark: "auto" }[root.dataset.theme] ?? "auto";
    root.dataset.theme = next;
    remember("mcpanel_theme", next);
    say(`Colours: ${next}`);
  };

  // --- long lines of a log ---

  // The style sheet follows the switch by itself; what is added here is that it is remembered.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-wraps]")) return;
    remember("mcpanel_wrap", event.target.checked ? "on" : "off");
    say(event.target.checked ? "Long lines are wrapped" : "Long lines go on to the right");
  });

  // --- copying ---

  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Over plain HTTP there is no clipboard but the old one.
      const field = document.createElement("textarea");
      field.value = text;
      field.setAttribute("readonly", "");
      field.className = "visually-hidden";
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
    say("Copied");
  };

  // --- asking first ---

  const dialog = document.getElementById("ask");
  const ask = (question) =>
    new Promise((resolve) => {
      document.getElementById("ask-text").textContent = question;
      dialog.returnValue = "no";
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
      dialog.showModal();
    });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.askClick ?? form.dataset.ask;
    if (!question || form.dataset.sure || !dialog) return;
    event.preventDefault();
    if (!(await ask(question))) return;
    form.dataset.sure = "yes";
    try {
      // A button that was renewed meanwhile is no longer the form's, and throws.
      form.requestSubmit(event.submitter ?? undefined);
    } finally {
      // The form of a list asks again for the next row.
      delete form.dataset.sure;
    }
  });

  // --- choosing rows ---

  const chosen = (form) => {
    const boxes = [...form.querySelectorAll("tbody input[name=id]")];
    const some = boxes.filter((box) => box.checked).length;
    const bar = form.querySelector(".chosen");
    bar?.classList.toggle("some", some > 0);
    const word = form.querySelector("[data-chosen]");
    if (word) word.textContent = some > 0 ? `${some} chosen` : "";
    const all = form.querySelector("[data-choose-all]");
    if (all) {
      all.checked = boxes.length > 0 && some === boxes.length;
      all.indeterminate = some > 0 && some < boxes.length;
    }
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-choose]");
    if (!form) return;
    if (event.target.matches("[data-choose-all]")) {
      for (const box of form.querySelectorAll("tbody input[name=id]")) box.checked = event.target.checked;
    }
    chosen(form);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // --- each time something new is on the page ---

  const settle = () => {
    times();
    tick();
    for (const log of document.querySelectorAll("[data-tail]")) {
      // A log that was read to its end stays at its end.
      if (log.dataset.seen === undefined || log.dataset.end === "yes") log.scrollTop = location.hash.startsWith("#L") ? log.scrollTop : log.scrollHeight;
      log.dataset.seen = "yes";
      log.onscroll = () => {
        log.dataset.end = log.scrollTop + log.clientHeight >= log.scrollHeight - 8 ? "yes" : "no";
      };
    }
  };
  document.addEventListener("htmx:after:swap", settle);

  for (const tool of document.querySelectorAll(".tool.script")) tool.hidden = false;
  document.getElementById("theme")?.addEventListener("click", turnTheme);
  document.getElementById("zone")?.addEventListener("click", turnZone);
  settle();
  // A form that is shown again begins unchosen, whatever the browser kept.
  for (const form of document.querySelectorAll("form[data-choose]")) {
    form.reset();
    chosen(form);
  }

  globalThis.mcpanel = { say, settle, turnTheme, turnZone };
})();
