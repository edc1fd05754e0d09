// Tasks: looked at, changed, followed, dealt with in bulk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, row, server, work } from "./stage.mjs";

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
  const wraps = () => page.locator(".line-text").first().evaluate((line) => getComputedStyle(line).whiteSpace);
  assert.equal(await wraps(), "pre-wrap");
  await page.keyboard.press("w");
  assert.equal(await wraps(), "pre", "a key turns it off");
  await page.reload();
  assert.equal(await wraps(), "pre", "it is remembered");
  await barriers(page, "a log that is not wrapped");
  await page.getByRole("checkbox", { name: /Wrap long lines/ }).check();
  assert.equal(await wraps(), "pre-wrap");
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

test("lines of a log come while one looks, and the log has a page of its own", async () => {
  const { context, page, found } = await person();
  await server.task("log_work");
  const agent = await server.agent("writer", ["log_work"]);
  const [task] = await agent.claim(1);
  await agent.start(task);
  await agent.log(task, [{ level: "info", message: "the first line" }]);
  await page.goto(`${server.url}/tasks/${task.task_id}`);
  await page.locator("#live[data-state=on]").waitFor();
  await page.locator(".log").hover();
  await agent.log(task, [{ level: "info", message: "a line alone" }]);
  await page.getByText("a line alone").waitFor();
  await page.getByRole("link", { name: "Log alone" }).click();
  await page.waitForURL(/view=log/);
  assert.equal(await page.getByText("The same elsewhere").count(), 0);
  await agent.log(task, [{ level: "info", message: "and another" }]);
  await page.getByText("and another").waitFor();
  await barriers(page, "a log alone");
  await shot(page, "log-alone");
  await page.keyboard.press("Escape");
  await page.waitForURL(`${server.url}/tasks/${task.task_id}#log`);
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
  await row(page, id).waitFor();

  // Under the pointer nothing changes; when it leaves, the list catches up.
  await page.locator("#live[data-state=on]").waitFor();
  await page.locator("tbody tr").first().hover();
  await server.call("POST", `/tasks/${id}/cancel`, {});
  await page.getByText("changes wait").waitFor();
  assert.match(await row(page, id).textContent(), /pending/);
  await page.mouse.move(5, 890);
  await row(page, id).filter({ hasText: "cancelled" }).waitFor();

  await page.keyboard.press("r");
  await page.locator("#live[data-state=off]").waitFor();
  await server.call("POST", `/tasks/${id}/retry`, {});
  await page.waitForTimeout(2_500);
  assert.match(await row(page, id).textContent(), /cancelled/, "off is off");
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
