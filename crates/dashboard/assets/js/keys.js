// Keys: help, search, going places, rows. They rest while somebody types and while a dialog is open.
"use strict";

(() => {
  const help = document.getElementById("help");
  const SECOND_KEY_MS = 1200;
  let going = 0;

  const typing = (element) =>
    element.matches?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]") ?? false;

  const rows = () => [...document.querySelectorAll("table[data-rows] tbody tr")];
  const step = (by) => {
    const all = rows();
    if (all.length === 0) return;
    const at = all.findIndex((row) => row.classList.contains("at"));
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    if (at >= 0) all[at].classList.remove("at");
    next.classList.add("at");
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("a")?.focus({ preventScroll: true });
  };
  const search = () => {
    const field = document.querySelector("[data-search]");
    if (field) {
      field.focus();
      field.select?.();
    } else {
      location.href = `${document.documentElement.dataset.base}tasks#search`;
    }
  };
  if (location.hash === "#search") document.querySelector("[data-search]")?.focus();

  // The button of the row one is at, whose key this is.
  const act = (key) => {
    const button = document.querySelector(`tr.at [data-row-action][data-key="${CSS.escape(key)}"]`);
    button?.click();
    return button !== null;
  };

  const actions = {
    "?": () => help?.showModal(),
    "/": search,
    r: () => globalThis.mcpanel?.turnLive?.(),
    t: () => globalThis.mcpanel?.turnTheme(),
    z: () => globalThis.mcpanel?.turnZone(),
    j: () => step(1),
    k: () => step(-1),
    w: () => document.querySelector("[data-wraps]")?.click(),
    Escape: () => document.querySelector("[data-back]")?.click(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && typing(event.target)) {
      event.target.blur();
      return;
    }
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    if (going && Date.now() - going < SECOND_KEY_MS) {
      going = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) {
        event.preventDefault();
        place.click();
        return;
      }
    }
    going = 0;
    if (event.key === "g") {
      going = Date.now();
      return;
    }
    if (act(event.key)) {
      event.preventDefault();
      return;
    }
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  document.getElementById("keys")?.addEventListener("click", () => help?.showModal());
})();
