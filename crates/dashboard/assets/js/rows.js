// Buttons in the rows of a list: what they do is sent without leaving the list, and the row alone is renewed.
// Without this file the same buttons send their form, and the list is shown again.
"use strict";

(() => {
  const { say, settle } = globalThis.mcpanel;

  const sentence = (answer) => {
    const [[kind, text] = []] = [...new URLSearchParams(answer.headers.get("mcpanel-said") ?? "")];
    return text && { good: kind === "ok", text };
  };

  /** Puts the row as the server drew it in the place of the one that was there; a row that is gone goes. */
  const renew = (row, drawn) => {
    const template = document.createElement("template");
    template.innerHTML = drawn;
    const next = template.content.querySelector("tr");
    if (!next) {
      row.remove();
      return;
    }
    next.classList.toggle("at", row.classList.contains("at"));
    row.replaceWith(next);
    next.querySelector("[data-row-action], a")?.focus({ preventScroll: true });
  };

  const send = async (form, button, row) => {
    const fields = new FormData(form, button);
    // Rows that were chosen have nothing to do with it.
    fields.delete("id");
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(button.formAction, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { "hx-request": "true" },
      });
      const elsewhere = answer.headers.get("hx-redirect");
      if (elsewhere) {
        location.assign(elsewhere);
        return;
      }
      const text = await answer.text();
      if (!answer.ok) {
        say(text, false);
        return;
      }
      // Who may change it and not read it is told what became of it, and no more.
      if (answer.status !== 204) renew(row, text);
      form.dispatchEvent(new Event("change", { bubbles: true }));
      settle();
      const said = sentence(answer);
      if (said) say(said.text, said.good);
    } catch {
      say("The server was not reached; nothing is known to have changed.", false);
    } finally {
      button.removeAttribute("aria-busy");
    }
  };

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const row = button?.closest("tr[id]");
    if (event.defaultPrevented || !row || !button.matches("[data-row-action]")) return;
    event.preventDefault();
    if (!button.hasAttribute("aria-busy")) send(event.target, button, row);
  });
})();
