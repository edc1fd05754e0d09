// Live: what a page does while nobody sees it, and while the server is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { complaints, shot } from "./check.mjs";
import { Server } from "./server.mjs";
import { browser, person, row, server } from "./stage.mjs";

const WAIT_MS = 60_000;

/** Waits until the live switch says `state`. */
const live = (page, state) => page.locator(`#live[data-state=${state}]`).waitFor();

/** Puts the tab before or behind the others. A browser without windows shows all of them at once, so it is told what to say. */
const hide = (page, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (value ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

test("a tab that nobody sees asks for nothing, and catches up when it is seen again", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/tasks?type=hidden_work`);
  await live(page, "on");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await hide(page, true);
  const task = await server.task("hidden_work");
  // Another page hears of it in the same moment, so this one could have.
  const other = await context.newPage();
  await other.goto(`${server.url}/tasks?type=hidden_work`);
  await row(other, task).waitFor();
  await other.close();
  assert.deepEqual(asked, [], "neither the list nor the stream");
  assert.equal(await row(page, task).count(), 0);
  await hide(page, false);
  await live(page, "on");
  await row(page, task).waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

test("a list keeps its rows while the keyboard is in it", async () => {
  const { context, page, found } = await person();
  const task = await server.task("keyboard_work");
  await page.goto(`${server.url}/tasks?type=keyboard_work`);
  await live(page, "on");
  await page.mouse.move(5, 890);
  await page.keyboard.press("j");
  await server.call("POST", `/tasks/${task}/cancel`, {});
  await page.locator("#live", { hasText: "changes wait" }).waitFor();
  assert.match(await row(page, task).textContent(), /pending/);
  await page.locator("h1").click();
  await row(page, task).filter({ hasText: "cancelled" }).waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

test("a server that is gone is told, what was shown stays, and the page comes back with it", async () => {
  const theirs = await Server.start(process.env.MCPANEL_BIN);
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  context.setDefaultTimeout(WAIT_MS);
  try {
    const page = await context.newPage();
    await page.goto(`${theirs.url}/sign-in`);
    await page.getByLabel("API key or token").fill(theirs.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${theirs.url}/`);
    const task = await theirs.task("outage_work");
    await page.goto(`${theirs.url}/tasks?type=outage_work`);
    await live(page, "on");

    await theirs.kill();
    await live(page, "lost");
    assert.equal(await page.locator("#live .live-word").textContent(), "Connecting");
    assert.match(await row(page, task).textContent(), /pending/, "what was known is still to be read");
    await row(page, task).getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Yes, do it" }).click();
    await page.getByText("The server was not reached").waitFor();
    await shot(page, "live-server-gone");

    await theirs.run();
    const later = await theirs.task("outage_work");
    await live(page, "on");
    // The pointer leaves; that a button of the list was clicked does not hold it.
    await page.mouse.move(5, 890);
    await page.locator(".newer a").click();
    await row(page, later).waitFor();
    assert.match(await row(page, task).textContent(), /pending/, "nothing that was acknowledged is lost, and nothing was cancelled");
    const found = complaints(page);
    await row(page, later).getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Yes, do it" }).click();
    await row(page, later).filter({ hasText: "cancelled" }).waitFor();
    assert.deepEqual(found, [], "one is still signed in");
  } finally {
    await context.close();
    await theirs.stop();
  }
});
