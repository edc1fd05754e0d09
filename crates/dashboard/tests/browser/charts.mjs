// Charts that one goes through: by pointer, by keys, closer and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, server } from "./stage.mjs";

test("a chart is read out step by step, and a stretch of it is seen closer", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/?range=24h`);
  const frames = page.locator("[data-charts] .chart-frame");
  const said = page.locator(".chart-said");
  const box = await frames.first().boundingBox();
  const middle = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width - 2, middle);
  assert.match(await said.first().textContent(), /completed/);
  assert.match(await said.nth(2).textContent(), /waiting/, "all charts tell of the same moment");
  await shot(page, "chart-cursor");

  await frames.first().focus();
  await page.keyboard.press("End");
  const last = await frames.first().getAttribute("aria-valuetext");
  await page.keyboard.press("ArrowLeft");
  assert.notEqual(await frames.first().getAttribute("aria-valuetext"), last);
  assert.equal(await frames.first().getAttribute("role"), "slider");
  await barriers(page, "charts with a cursor");
  for (let at = 0; at < 8; at += 1) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]from=.*&to=/);
  assert.match(await page.getByRole("heading", { name: /^Tasks ended/ }).textContent(), /every 2 m/, "finer steps than before");
  await barriers(page, "a stretch seen closer");
  await shot(page, "chart-closer");
  await page.getByRole("link", { name: "Zoom out" }).click();
  await page.waitForURL(/[?&]from=.*&to=/);
  await page.getByRole("link", { name: "Earlier" }).click();
  await page.getByRole("link", { name: "Later" }).click();

  await page.goto(`${server.url}/?range=24h`);
  await page.mouse.move(box.x + box.width / 2, middle);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 60, middle, { steps: 4 });
  await shot(page, "chart-marked");
  await page.mouse.up();
  await page.waitForURL(/[?&]from=.*&to=/);
  assert.deepEqual(found, []);
  await context.close();
});

test("without JavaScript a stretch is asked for in a form, and values stand in a table", async () => {
  const { context, page } = await person(server.key, { javaScriptEnabled: false });
  await page.goto(`${server.url}/`);
  await page.getByText("From … to").click();
  const day = new Date().toISOString().slice(0, 10);
  await page.getByLabel("From (UTC)").fill(`${day}T00:00`);
  await page.getByLabel("To (UTC)").fill(`${day}T00:30`);
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/from=.*&to=/);
  await page.getByText("As a table").click();
  await page.getByRole("region", { name: "History as a table" }).waitFor();
  await context.close();
});
