// What every page must hold: no error in the console, no barrier that axe finds, no scrolling sideways on a small screen.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The rules of WCAG 2.2 up to level AA, and what axe calls best practice. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const shots = process.env.MCPANEL_SHOTS ?? "dashboard-shots";
mkdirSync(shots, { recursive: true });

/** Keeps a picture of a page for people to look at. */
export const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });

/** Fails with every barrier on the page. */
export const barriers = async (page, where) => {
  // Injected by the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags }), TAGS);
  const found = violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}\n    ${node.failureSummary?.replaceAll("\n", "\n    ")}`),
  );
  assert.deepEqual(found, [], `${where} has barriers:\n${found.join("\n")}`);
};

/** Fails when the page is wider than the screen. */
export const fits = async (page, where) => {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= screen, `${where} is ${wide} px wide on a screen of ${screen} px`);
};

/** Collects what the browser complains about. */
export const complaints = (page) => {
  const found = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/i.test(message.text())) found.push(message.text());
  });
  page.on("pageerror", (error) => found.push(String(error)));
  return found;
};
