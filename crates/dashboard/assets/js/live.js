// Live: one stream for each tab says what changed, and the parts of the page that show it are asked for again.
// It rests when it is switched off, when the tab is hidden, and while a field has the focus; a list does not move under the pointer.
"use strict";

(() => {
  const main = document.getElementById("main");
  const button = document.getElementById("live");
  const follows = main?.dataset.follows;
  if (!follows || !button) return;

  const KEPT = "mcpanel.live";
  const RETRY_MS = 4000;
  let on = localStorage.getItem(KEPT) !== "off";
  let stream = null;
  // Nothing is live before the stream is open.
  let lost = true;
  // The newest event that this page can show. The first stream tells what came after it.
  let after = main.dataset.after ?? "";
  let timer = 0;
  const late = new Set();

  const typing = () => {
    const at = document.activeElement;
    return !!at && main.contains(at) && at.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
  };
  const asking = () => document.querySelector("dialog[open]") !== null;

  const show = () => {
    const rests = on && (typing() || asking());
    const state = !on ? "off" : lost ? "lost" : rests ? "rest" : "on";
    const words = { off: "Paused", lost: "Connecting", rest: "Resting", on: "Live" };
    const waiting = late.size > 0 && state !== "off" ? " · changes wait" : "";
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(on));
    button.querySelector(".live-word").textContent = words[state] + waiting;
    for (const other of document.querySelectorAll("[data-turn-live]")) {
      other.hidden = false;
      other.textContent = on ? "Pause" : "Resume";
    }
  };

  // A list is held while the pointer is on it, some of its rows are chosen, or the keyboard is in it. A button that was clicked
  // keeps the focus too, but whoever clicked it and went on does not wait there.
  const held = (part) =>
    part.hasAttribute("data-hold") &&
    (part.matches(":hover") || part.querySelector("input[name=id]:checked, :focus-visible") !== null);

  const refresh = (part) => {
    if (!part.isConnected) return;
    if (!on || document.hidden || typing() || asking() || held(part)) {
      late.add(part.id);
      return;
    }
    late.delete(part.id);
    htmx.trigger(part, "live");
  };
  const catchUp = () => {
    if (on && !document.hidden) {
      for (const id of [...late]) {
        const part = document.getElementById(id);
        late.delete(id);
        if (part) refresh(part);
      }
    }
    show();
  };
  const heard = (words) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (part.dataset.live.split(" ").some((word) => words.has(word))) refresh(part);
    }
    show();
  };

  const close = () => {
    clearTimeout(timer);
    stream?.close();
    stream = null;
    lost = true;
  };
  const open = () => {
    if (stream || !on || document.hidden) return;
    stream = new EventSource(`${document.documentElement.dataset.base}live?${follows}${after && `&after=${after}`}`);
    stream.addEventListener("open", () => {
      // What happened while a later stream was away is not told again: look at everything once.
      if (!after) for (const part of document.querySelectorAll("[data-live]")) refresh(part);
      after = "";
      lost = false;
      show();
    });
    stream.addEventListener("changed", (event) => heard(new Set(event.data.split(" "))));
    stream.addEventListener("error", () => {
      close();
      timer = setTimeout(open, RETRY_MS);
      show();
    });
  };

  const turn = () => {
    on = !on;
    localStorage.setItem(KEPT, on ? "on" : "off");
    if (on) {
      open();
    } else {
      close();
      late.clear();
    }
    show();
    globalThis.mcpanel?.say(on ? "Live updates are on" : "Live updates are off");
  };

  button.hidden = false;
  button.addEventListener("click", turn);
  for (const other of document.querySelectorAll("[data-turn-live]")) other.addEventListener("click", turn);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
    } else {
      open();
    }
    show();
  });
  document.addEventListener("focusin", show);
  document.addEventListener("focusout", () => setTimeout(catchUp, 150));
  document.addEventListener("pointerout", () => late.size > 0 && setTimeout(catchUp, 150));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    open();
    show();
  });

  // What the reader opened stays open when its part of the page is renewed.
  htmx.registerExtension("mcpanel-keep", {
    htmx_before_morph_attr: (element, detail) => {
      if (element.tagName === "DETAILS" && detail.attrName === "open") return false;
      return undefined;
    },
  });

  globalThis.mcpanel.turnLive = turn;
  open();
  show();
})();
