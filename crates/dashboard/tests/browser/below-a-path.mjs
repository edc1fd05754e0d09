// A server that has but a path of a host: everything a person does there stays below it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { complaints } from "./check.mjs";
import { Server } from "./server.mjs";
import { browser, row } from "./stage.mjs";

const WAIT_MS = 60_000;

test("somebody signs in, looks, acts and leaves below a path", async () => {
  const server = await Server.start(process.env.MCPANEL_BIN, "/teams/a");
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  context.setDefaultTimeout(WAIT_MS);
  try {
    const page = await context.newPage();
    const found = complaints(page);
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));

    await page.goto(`${server.url}/tasks`);
    await page.getByLabel("API key or token").fill(server.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${server.url}/tasks`);
    for (const cookie of await context.cookies()) assert.equal(cookie.path, "/teams/a", cookie.name);

    // The stream is open, and what it tells is fetched from the right place.
    await page.locator("#live[data-state=on]").waitFor();
    const task = await server.task("echo");
    await row(page, task).or(page.locator(".newer")).first().waitFor();

    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Overview" }).click();
    await page.waitForURL(`${server.url}/`);
    await page.keyboard.press("/");
    await page.waitForURL(`${server.url}/tasks#search`);
    await page.goto(`${server.url}/tasks/${task}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Yes, do it" }).click();
    await page.getByText("The task is cancelled.").waitFor();
    assert.ok(page.url().startsWith(`${server.url}/tasks/`), page.url());
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${server.url}/sign-in`);

    assert.deepEqual(asked.filter((path) => !path.startsWith("/teams/a/")), []);
    assert.deepEqual(found, []);
  } finally {
    await context.close();
    await server.stop();
  }
});
