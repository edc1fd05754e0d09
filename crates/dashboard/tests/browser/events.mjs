// Events: paused, filtered by a view, saved as files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import { barriers, shot } from "./check.mjs";
import { person, server } from "./stage.mjs";

test("events: what the filter shows is saved, and the page can be paused", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/events`);
  await page.locator("#live[data-state=on]").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator("#live[data-state=off]").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.locator("#live[data-state=on]").waitFor();
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Failures" }).click();
  await page.waitForURL(/kind=task/);
  await page.locator("tbody tr", { hasText: "task:failed" }).first().waitFor();
  const shown = await page.locator("tbody tr").count();
  await barriers(page, "the failures among the events");
  await shot(page, "events-failures");

  const save = async (name) => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  const lines = await save("Save JSON lines");
  assert.match(lines.name, /^events-\d+\.jsonl$/);
  const events = lines.text.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(events.length, shown);
  assert.ok(events.every((event) => event.type.endsWith("failed") && event.payload && event.timestamp));
  const known = await server.call("GET", `/events?after=${events[0].seq - 1}&limit=1`);
  assert.deepEqual(events[0], known.events[0], "the same JSON as the API's");
  const table = await save("Save CSV");
  assert.match(table.text, /^seq,timestamp,type,/);
  assert.equal(table.text.trim().split("\r\n").length, shown + 1);
  assert.deepEqual(found, []);
  await context.close();
});
