// Charts that one can explore: a cursor that runs through all charts of a group and reads their values out, and stretches that
// are marked, by dragging or with Shift and the arrows, to be asked for more closely.
"use strict";

(() => {
  const WIDTH = 600;
  const { say } = globalThis.mcpanel;
  /** The step one is at, and where a mark began; for each group, because the charts of a group share their steps. */
  const places = new Map();

  const group = (chart) => chart.closest("[data-charts]");
  const key = (of) => of.dataset.charts;
  const place = (of) => places.get(key(of)) ?? { at: null, from: null };
  const steps = (chart) => [...chart.querySelectorAll("rect.step")];
  const words = (chart, at) => steps(chart)[at]?.querySelector("title")?.textContent ?? "";

  const draw = (of) => {
    const { at, from } = place(of);
    for (const chart of of.querySelectorAll("[data-chart]")) {
      const count = steps(chart).length;
      const width = WIDTH / Math.max(count, 1);
      const x = at === null ? -9 : (at + 0.5) * width;
      const cursor = chart.querySelector(".cursor");
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      const [low, high] = from === null ? [0, -1] : [Math.min(from, at), Math.max(from, at)];
      const marked = chart.querySelector(".marked");
      marked.setAttribute("x", low * width);
      marked.setAttribute("width", (high - low + 1) * width);
      chart.querySelector(".chart-said").textContent = at === null ? "" : words(chart, at);
      const frame = chart.querySelector(".chart-frame");
      frame.tabIndex = 0;
      frame.setAttribute("role", "slider");
      frame.setAttribute("aria-valuemin", 0);
      frame.setAttribute("aria-valuemax", Math.max(count - 1, 0));
      frame.setAttribute("aria-valuenow", at ?? Math.max(count - 1, 0));
      frame.setAttribute("aria-valuetext", words(chart, at ?? count - 1));
    }
  };
  const go = (of, next) => {
    places.set(key(of), { ...place(of), ...next });
    draw(of);
  };

  /** Asks for what lies between two steps. */
  const closer = (of) => {
    const { at, from } = place(of);
    const chart = of.querySelector("[data-chart]");
    if (from === null || at === null || from === at || !chart) return;
    const begins = Number(chart.dataset.begins);
    const step = Number(chart.dataset.step);
    const moment = (number) => new Date(begins + number * step).toISOString();
    const asked = new URLSearchParams({ from: moment(Math.min(from, at)), to: moment(Math.max(from, at) + 1) });
    location.assign(`${of.dataset.charts}?${asked}`);
  };

  const under = (frame, event) => {
    const box = frame.querySelector("svg").getBoundingClientRect();
    const count = frame.querySelectorAll("rect.step").length;
    const part = (event.clientX - box.left) / Math.max(box.width, 1);
    return Math.min(Math.max(Math.floor(part * count), 0), count - 1);
  };
  const frameOf = (event) => event.target.closest?.("[data-charts] .chart-frame");

  let dragged = null;
  document.addEventListener("pointermove", (event) => {
    const frame = dragged ?? frameOf(event);
    if (frame) go(group(frame), { at: under(frame, event) });
  });
  document.addEventListener("pointerdown", (event) => {
    const frame = frameOf(event);
    if (!frame) return;
    const at = under(frame, event);
    // A finger that drags scrolls the page; it reads values by touching.
    if (event.pointerType === "touch" || event.button !== 0) {
      go(group(frame), { at, from: null });
      return;
    }
    dragged = frame;
    event.preventDefault();
    frame.focus({ preventScroll: true });
    go(group(frame), { at, from: at });
  });
  document.addEventListener("pointerup", () => {
    if (!dragged) return;
    const of = group(dragged);
    dragged = null;
    closer(of);
    go(of, { from: null });
  });
  document.addEventListener("pointerout", (event) => {
    const frame = frameOf(event);
    if (!frame || dragged || frame.contains(event.relatedTarget) || frame === document.activeElement) return;
    go(group(frame), { at: null, from: null });
  });

  document.addEventListener("keydown", (event) => {
    const frame = frameOf(event);
    if (!frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const of = group(frame);
    const last = frame.querySelectorAll("rect.step").length - 1;
    const { at, from } = place(of);
    const now = at ?? last;
    const step = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, PageUp: now - 10, PageDown: now + 10 }[event.key];
    if (step !== undefined) {
      const next = Math.min(Math.max(step, 0), last);
      go(of, { at: next, from: event.shiftKey ? (from ?? now) : null });
    } else if (event.key === "Enter" && from !== null) {
      closer(of);
    } else if (event.key === "Escape") {
      go(of, { from: null });
      say("Nothing is marked");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const settle = () => {
    for (const of of document.querySelectorAll("[data-charts]")) draw(of);
    for (const hint of document.querySelectorAll(".hint.script")) hint.hidden = false;
  };
  document.addEventListener("htmx:after:swap", settle);
  settle();
})();
