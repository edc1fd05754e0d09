// The main journeys, click by click, in a real browser against a real server. Run by `cargo xtask test`, or by hand:
//   MCPANEL_BIN=target/debug/mcpanel CHROMIUM=/usr/bin/chromium node --test crates/dashboard/tests/browser/journeys.mjs
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { barriers, complaints, fits, shot } from "./check.mjs";
import { Server } from "./server.mjs";

const WAIT_MS = 8_000;

let server;
let browser;
const profile = mkdtempSync(join(tmpdir(), "mcpanel-browser-"));

before(async () => {
  server = await Server.start(process.env.MCPANEL_BIN);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(profile, { recursive: true, force: true });
});

/** A new browser of somebody who is signed in with `key`. */
const person = async (key = server.key, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const found = complaints(page);
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("API key or token").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  return { context, page, found };
};

/** Some work of every kind: done, failed, retried, running, waiting. */
let work;
test("there is some work to look at", async () => {
  const agent = await server.agent("worker-1", ["bias_detection", "validation"]);
  work = { agent };
  for (let at = 0; at < 6; at += 1) await server.task("bias_detection", { file: `talk-${at}.csv`, note: "her own words" });
  const [done, failed, again, running] = await agent.claim(4);
  for (const task of [done, failed, again, running]) await agent.start(task);
  await agent.log(done, [
    { level: "info", message: "read 120 records" },
    { level: "warn", message: "2 records without an answer" },
    { level: "error", message: "<b>not bold</b>" },
  ]);
  await agent.complete(done, { records: 118 });
  await agent.fail(failed, "validation", "column `answer` is missing in talk-1.csv");
  await agent.fail(again, "network", "connection reset");
  await agent.progress(running, 42, "40 of 95 records");
  Object.assign(work, { done, failed, again, running });
  await server.task("emotion_analysis", { file: "nobody-does-this.csv" });
});

test("signing in: a wrong key is refused in words, the right one leads to where one wanted to go", async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
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
  assert.equal(await page.title(), "Failed tasks · mcpanel");
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

test("a task: what is wrong, why, attempts, log, and what it holds only when asked", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/tasks`);
  await page.getByPlaceholder("Text in parameters, error, id or type").fill("column `answer`");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.match(page.url(), /[?&]q=column/);
  await page.locator("tbody tr a.row-link").click();
  assert.match(await page.locator("#error ~ *, .card.error").first().textContent(), /Error/);
  assert.match(await page.locator(".card.error pre").textContent(), /column `answer` is missing/);
  await barriers(page, "a failed task");
  await shot(page, "task-failed");

  await page.goto(`${server.url}/tasks/${work.done.task_id}`);
  assert.ok(!(await page.content()).includes("her own words"));
  assert.equal(await page.locator(".log .line").count(), 3, "lines from before the page was opened");
  assert.equal(await page.locator(".log b").count(), 0, "what agents write is text");
  await page.getByRole("link", { name: /Warnings and errors/ }).click();
  assert.equal(await page.locator(".log .line").count(), 2);
  await page.getByRole("button", { name: "Reveal" }).click();
  await page.getByText("That you looked is written down").waitFor();
  assert.match(await page.locator("pre.json").first().textContent(), /her own words/);
  await barriers(page, "a revealed task");
  await shot(page, "task-done-revealed");
  await page.goto(`${server.url}/events?kind=task%3Arevealed`);
  assert.match(await page.locator("tbody tr").first().textContent(), /admin/);

  const waiting = await server.task("emotion_analysis");
  await page.goto(`${server.url}/tasks/${waiting}`);
  assert.match(await page.locator(".standing").textContent(), /No registered agent offers `emotion_analysis`/);
  await shot(page, "task-waiting");
  assert.deepEqual(found, []);
  await context.close();
});

test("cancelling asks first; retrying brings back", async () => {
  const { context, page, found } = await person();
  const id = await server.task("emotion_analysis");
  await page.goto(`${server.url}/tasks/${id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancel this task?").waitFor();
  await barriers(page, "the question");
  await page.getByRole("button", { name: "Keep as it is" }).click();
  assert.equal((await server.call("GET", `/tasks/${id}`)).status, "pending");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await page.getByText("The task is cancelled.").waitFor();
  assert.equal((await server.call("GET", `/tasks/${id}`)).status, "cancelled");
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByText("back in the queue").waitFor();
  assert.equal((await server.call("GET", `/tasks/${id}`)).status, "pending");
  assert.deepEqual(found, []);
  await context.close();
});

test("live: a page follows by itself, a list keeps its rows, and the switch means it", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/tasks/${work.running.task_id}`);
  await page.locator("#live[data-state=on]").waitFor();
  await work.agent.progress(work.running, 77, "73 of 95 records");
  await page.getByText("73 of 95 records").waitFor();

  await page.goto(`${server.url}/tasks`);
  await page.locator("#live[data-state=on]").waitFor();
  await page.mouse.move(5, 890);
  const first = await page.locator("tbody tr").first().getAttribute("id");
  const rows = await page.locator("tbody tr").count();
  const id = await server.task("emotion_analysis");
  await page.locator(".newer").waitFor();
  assert.match(await page.locator(".newer").textContent(), /1 new/);
  assert.equal(await page.locator("tbody tr").first().getAttribute("id"), first, "no row moved");
  assert.equal(await page.locator("tbody tr").count(), rows);
  await shot(page, "tasks-new-rows");
  await page.locator(".newer a").click();
  await page.locator(`[id="row-${id}"]`).waitFor();

  // Under the pointer nothing changes; when it leaves, the list catches up.
  await page.locator("#live[data-state=on]").waitFor();
  await page.locator("tbody tr").first().hover();
  await server.call("POST", `/tasks/${id}/cancel`, {});
  await page.getByText("changes wait").waitFor();
  assert.match(await page.locator(`[id="row-${id}"]`).textContent(), /pending/);
  await page.mouse.move(5, 890);
  await page.locator(`[id="row-${id}"]`, { hasText: "cancelled" }).waitFor();

  await page.keyboard.press("r");
  await page.locator("#live[data-state=off]").waitFor();
  await server.call("POST", `/tasks/${id}/retry`, {});
  await page.waitForTimeout(2_500);
  assert.match(await page.locator(`[id="row-${id}"]`).textContent(), /cancelled/, "off is off");
  await page.reload();
  await page.locator("#live[data-state=off]").waitFor();
  await page.locator("#live").click();
  await page.locator("#live[data-state=on]").waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

test("bulk: what a filter finds is looked at, begun and followed", async () => {
  const tasks = Array.from({ length: 120 }, (_, at) => ({ task_type: "bulk_work", parameters: { at } }));
  await server.call("POST", "/tasks/batch", { tasks });
  const { context, page, found } = await person();
  await page.goto(`${server.url}/tasks?type=bulk_work`);
  await page.getByRole("link", { name: "Cancel all…" }).click();
  assert.match(await page.locator(".whole-figure").textContent(), /120 tasks/);
  await barriers(page, "the preview of an operation");
  await shot(page, "operation-preview");
  await page.getByLabel(/Type 120 to go on/).fill("120");
  await page.getByRole("button", { name: "Cancel 120 tasks" }).click();
  await page.waitForURL(/\/operations\/op/);
  await page.locator("#operation .badge", { hasText: "completed" }).waitFor({ timeout: 20_000 });
  await barriers(page, "an operation");
  await shot(page, "operation");
  const left = await server.call("GET", "/tasks?task_type=bulk_work&status=pending");
  assert.equal(left.tasks.length, 0);
  await page.goto(`${server.url}/operations`);
  await barriers(page, "the operations");
  await shot(page, "operations");

  await page.goto(`${server.url}/tasks?type=bulk_work`);
  await page.getByRole("checkbox", { name: "Choose all rows" }).check();
  assert.match(await page.locator("[data-chosen]").textContent(), /50 chosen/);
  await page.getByRole("button", { name: "Retry chosen" }).click();
  await page.getByText("50 tasks retried.").waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

test("agents: who runs what, draining and resuming", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/agents`);
  const row = page.locator("tbody tr", { hasText: "worker-1" });
  assert.match(await row.textContent(), /1\/4/);
  assert.match(await row.textContent(), /1\.4\.2/);
  await barriers(page, "the agents");
  await shot(page, "agents");
  await row.getByRole("link", { name: "worker-1" }).first().click();
  await page.getByRole("button", { name: "Drain" }).click();
  await page.locator(".badge", { hasText: "draining" }).first().waitFor();
  await barriers(page, "an agent");
  await shot(page, "agent");
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("takes work").waitFor();
  assert.deepEqual(found, []);
  await context.close();
});

test("a pipeline from a template and a file, watched to its report", { skip: !process.env.MCPANEL_SAMPLE }, async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/pipelines`);
  await page.getByRole("link", { name: "New pipeline" }).click();
  await page.getByLabel("Name").fill("Counselling sample");
  await page.locator("input[name=file]").setInputFiles(process.env.MCPANEL_SAMPLE);
  await barriers(page, "the new pipeline");
  await shot(page, "pipeline-new");
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(/\/pipelines\/pipe/);
  await page.getByText("The pipeline runs.").waitFor();
  assert.equal(await page.locator(".stage").count(), 6);
  await page.getByRole("link", { name: /^Tasks of stage 1/ }).click();
  await page.locator("#stage-tasks tbody tr").first().waitFor();
  await barriers(page, "a pipeline");
  await shot(page, "pipeline-running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await page.locator("#head .badge", { hasText: "cancelled" }).first().waitFor();
  await page.getByRole("button", { name: "Retry what failed" }).waitFor();
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

test("without JavaScript everything reads and forms work", async () => {
  const { context, page } = await person(server.key, { javaScriptEnabled: false });
  const id = await server.task("emotion_analysis");
  await page.goto(`${server.url}/tasks/${id}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The task is cancelled.").waitFor();
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
  ["events", "/events"],
  ["operations", "/operations"],
  ["keys", "/settings/keys"],
  ["templates", "/settings/templates"],
  ["template", "/settings/templates/techdeck"],
  ["new-pipeline", "/pipelines/new"],
  ["not-found", "/tasks/no_such_task"],
];

for (const colorScheme of ["light", "dark"]) {
  test(`every page without a barrier, ${colorScheme}`, async () => {
    const { context, page } = await person(server.key, { colorScheme });
    const titles = new Set();
    for (const [name, path] of PAGES) {
      await page.goto(`${server.url}${path}`);
      await barriers(page, `${path} (${colorScheme})`);
      await fits(page, path);
      await shot(page, `${name}-${colorScheme}`);
      titles.add(await page.title());
    }
    assert.ok(titles.size >= PAGES.length - 2, `titles tell pages apart: ${[...titles].join(", ")}`);
    await context.close();
  });
}

test("every page on a screen of 320 pixels", async () => {
  const { context, page } = await person(server.key, { viewport: { width: 320, height: 640 }, hasTouch: true });
  for (const [name, path] of [...PAGES, ["task", `/tasks/${work.done.task_id}`], ["agent", "/agents/worker-1"]]) {
    await page.goto(`${server.url}${path}`);
    await fits(page, path);
    await barriers(page, `${path} at 320 pixels`);
    await shot(page, `${name}-320`);
  }
  await context.close();
});
