// Agents and pipelines: who works, and what is made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, server } from "./stage.mjs";

test("agents: who runs what, draining and resuming", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/agents`);
  const row = page.locator("tbody tr", { hasText: "worker-1" });
  assert.match(await row.textContent(), /1\/4/);
  assert.match(await row.textContent(), /1\.4\.2/);
  await barriers(page, "the agents");
  await shot(page, "agents");
  await row.getByRole("link", { name: "worker-1" }).first().click();
  await page.getByRole("heading", { name: "Load" }).waitFor();
  assert.match(await page.locator("#load").locator("xpath=../..").textContent(), /slots in use/);
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
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await page.locator("#head .badge", { hasText: "cancelled" }).first().waitFor();
  await page.getByRole("button", { name: "Retry what failed", exact: true }).waitFor();
  assert.deepEqual(found, []);
  await context.close();
});
