// Signing in, keys, settings: who one is and how one gets about.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { browser, person, server, work } from "./stage.mjs";

test("signing in: a wrong key is refused in words, the right one leads to where one wanted to go", async () => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${server.url}/tasks?status=failed`);
  assert.match(page.url(), /\/sign-in\?next=/);
  await barriers(page, "the sign-in");
  await shot(page, "sign-in");
  await page.getByLabel("API key or token").fill("mcp_nonsense");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").textContent(), /did not work/);
  await page.getByLabel("API key or token").fill(server.key);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/tasks?status=failed`);
  assert.equal(await page.title(), "Failed tasks · mcpanel staging");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${server.url}/sign-in`);
  await page.goto(`${server.url}/tasks`);
  assert.match(page.url(), /\/sign-in/);
  await context.close();
});

test("keys: help, places, search, colours, time zone, rows", async () => {
  const { context, page, found } = await person(server.key, { timezoneId: "Asia/Tokyo", colorScheme: "light" });
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await barriers(page, "the help");
  await shot(page, "help");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await page.waitForURL(`${server.url}/tasks`);
  await page.keyboard.press("/");
  const search = page.getByPlaceholder("Text in parameters, error, id or type");
  assert.ok(await search.evaluate((field) => field === document.activeElement), "the search has the focus");
  await page.keyboard.type("gt");
  assert.equal(await search.inputValue(), "gt", "keys are letters while one types");
  assert.equal(page.url(), `${server.url}/tasks`);
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
  await page.keyboard.press("t");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.reload();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark", "the server draws it dark at once");
  await page.keyboard.press("j");
  assert.equal(await page.locator("tr.at").count(), 1);
  await page.goto(`${server.url}/tasks/${work.done.task_id}`);
  const time = page.locator("dd time[data-time]").first();
  assert.match(await time.textContent(), /UTC$/);
  const utc = new Date(await time.getAttribute("datetime"));
  await page.keyboard.press("z");
  const hour = String((utc.getUTCHours() + 9) % 24).padStart(2, "0");
  assert.match(await time.textContent(), new RegExp(` ${hour}:`), "Tokyo is nine hours ahead");
  assert.deepEqual(found, []);
  await context.close();
});

test("settings: a key for somebody who may only look, and what that person sees", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/settings`);
  await page.getByLabel("Name").fill("Reader");
  await page.getByRole("radio", { name: /read-only/ }).check();
  await barriers(page, "the keys");
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await page.locator(".secret code").textContent();
  assert.match(key, /^mcp_/);
  await shot(page, "settings-keys");
  const reader = await person(key);
  await reader.page.goto(`${server.url}/tasks/${work.failed.task_id}`);
  assert.equal(await reader.page.getByRole("button", { name: "Retry" }).count(), 0);
  const direct = await reader.page.evaluate(async (path) => {
    const csrf = document.querySelector("[name=csrf]").value;
    const answer = await fetch(path, { method: "POST", body: new URLSearchParams({ csrf }) });
    return answer.status;
  }, `/tasks/${work.failed.task_id}/retry`);
  assert.equal(direct, 403, "a hidden button is no protection; the server is");
  await reader.context.close();

  await page.locator("tr", { hasText: "Reader" }).getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await page.getByText("“Reader” is revoked.").waitFor();
  await page.goto(`${server.url}/settings/templates`);
  await barriers(page, "the templates");
  await shot(page, "settings-templates");
  assert.deepEqual(found, []);
  await context.close();
});

test("an operator acts, is named by the key, and is out as soon as the key is revoked", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/settings/keys`);
  await page.getByLabel("Name").fill("Night shift");
  await page.getByRole("radio", { name: /operator/ }).check();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = await page.locator(".secret code").textContent();

  const operator = await person(key);
  const theirs = operator.page;
  assert.equal(await theirs.getByRole("link", { name: "API keys" }).count(), 0);
  assert.equal((await theirs.goto(`${server.url}/settings/keys`)).status(), 403);
  const id = await server.task("emotion_analysis");
  await theirs.goto(`${server.url}/tasks/${id}`);
  await theirs.getByRole("button", { name: "Cancel" }).click();
  await theirs.getByRole("button", { name: "Yes, do it" }).click();
  await theirs.getByText("The task is cancelled.").waitFor();
  await theirs.locator("#live[data-state=on]").waitFor();

  await page.goto(`${server.url}/events?kind=task:cancelled`);
  await page.locator("tr", { hasText: "Night shift" }).first().waitFor();
  await page.goto(`${server.url}/settings/keys`);
  await page.locator("tr", { hasText: "Night shift" }).getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await page.getByText("“Night shift” is revoked.").waitFor();
  await theirs.goto(`${server.url}/tasks/${id}`);
  await theirs.waitForURL(/\/sign-in\?next=/);
  assert.deepEqual(found, []);
  await operator.context.close();
  await context.close();
});
