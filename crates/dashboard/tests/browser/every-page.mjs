// Every page, as wide and as narrow as people have it, light and dark, with and without JavaScript.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, fits, shot } from "./check.mjs";
import { person, server, work } from "./stage.mjs";

test("without JavaScript everything reads and forms work", async () => {
  const { context, page } = await person(server.key, { javaScriptEnabled: false });
  const id = await server.task("emotion_analysis");
  await page.goto(`${server.url}/tasks/${id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The task is cancelled.").waitFor();
  await page.goto(`${server.url}/tasks/${work.done.task_id}`);
  assert.equal(await page.locator(".log .line").count(), 3);
  await page.getByRole("checkbox", { name: /Wrap long lines/ }).uncheck();
  const line = page.locator(".line-text").first();
  assert.equal(await line.evaluate((text) => getComputedStyle(text).whiteSpace), "pre", "the switch needs no script");
  await page.goto(`${server.url}/events`);
  assert.ok((await page.locator("tbody tr").count()) > 10);
  await shot(page, "without-javascript");
  await context.close();
});

const PAGES = [
  ["overview", "/"],
  ["overview-day", "/?range=24h"],
  ["agents", "/agents"],
  ["tasks", "/tasks"],
  ["tasks-filtered", "/tasks?status=failed&status=retry&type=bias_detection"],
  ["pipelines", "/pipelines"],
  ["pipelines-filtered", "/pipelines?q=ward&status=created&status=running&template=techdeck"],
  ["agents-filtered", "/agents?status=active&status=busy&q=worker"],
  ["events", "/events"],
  ["operations", "/operations"],
  ["keys", "/settings/keys"],
  ["templates", "/settings/templates"],
  ["template", "/settings/templates/techdeck"],
  ["new-pipeline", "/pipelines/new"],
  ["not-found", "/tasks/no_such_task"],
  ["no-such-page", "/no/such/page"],
];

/** Pages whose address is known only once there is work. */
const ours = () => [
  ["task", `/tasks/${work.done.task_id}`],
  ["task-failed", `/tasks/${work.failed.task_id}`],
  ["agent", "/agents/worker-1"],
];

const SCREENS = [
  ["", { viewport: { width: 1200, height: 900 } }],
  ["-320", { viewport: { width: 320, height: 640 }, hasTouch: true }],
];

const reachable = async (screen, smallest) => {
  await server.call("POST", "/keys", { name: "Somebody with a long name for a small screen", permissions: ["task:read"] });
  const { context, page } = await person(server.key, screen);
  for (const path of ["/tasks", "/pipelines", "/agents", "/settings/keys"]) {
    await page.goto(`${server.url}${path}`);
    const buttons = page.locator("td.actions .button");
    assert.ok((await buttons.count()) > 0, `${path} has rows with buttons`);
    for (const button of await buttons.all()) {
      const { x, width, height } = await button.boundingBox();
      assert.ok(x >= 0 && x + width <= screen.viewport.width, `${path}: a button from ${x} to ${x + width}`);
      assert.ok(width >= smallest && height >= smallest, `${path}: a button of ${width} × ${height}`);
    }
    // What has the focus is not under them.
    const link = page.locator("tbody a").first();
    if ((await link.count()) === 0) continue;
    await link.focus();
    const covered = await link.evaluate((link) => {
      const { left, top, height } = link.getBoundingClientRect();
      const there = document.elementFromPoint(left + 4, top + height / 2);
      return there !== link && !link.contains(there);
    });
    assert.ok(!covered, `${path}: the first link can be seen`);
  }
  await context.close();
};

test("on a small screen the buttons of a row are within reach", () => reachable(SCREENS[1][1], 24));

for (const width of [1024, 1200, 1366]) {
  test(`${width} pixels wide the buttons of a row are within reach`, () => reachable({ viewport: { width, height: 800 } }, 20));
}

for (const [size, screen] of SCREENS) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every page without a barrier, ${colorScheme}, ${screen.viewport.width} pixels wide`, async () => {
      const { context, page } = await person(server.key, { ...screen, colorScheme });
      const titles = new Set();
      const all = [...PAGES, ...ours()];
      for (const [name, path] of all) {
        await page.goto(`${server.url}${path}`);
        await barriers(page, `${path} (${colorScheme}${size})`);
        await fits(page, path);
        await shot(page, `${name}-${colorScheme}${size}`);
        titles.add(await page.title());
      }
      assert.ok(titles.size >= all.length - 6, `titles tell pages apart: ${[...titles].join(", ")}`);
      await context.close();
    });
  }

  test(`every page reads without JavaScript, ${screen.viewport.width} pixels wide`, async () => {
    const { context, page } = await person(server.key, { ...screen, javaScriptEnabled: false });
    for (const [name, path] of [...PAGES, ...ours()]) {
      await page.goto(`${server.url}${path}`);
      await fits(page, path);
      assert.ok((await page.locator("main").innerText()).length > 20, `${path} says something`);
      await shot(page, `${name}-plain${size}`);
    }
    await context.close();
  });
}
