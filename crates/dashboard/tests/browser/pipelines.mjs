// Pipelines and agents found by a filter, and a stage that is tried again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, server } from "./stage.mjs";

/** How long is waited between two looks, in milliseconds. */
const LOOK_MS = 100;

/** Asks until there is something. */
const until = async (ask) => {
  for (;;) {
    const found = await ask();
    if (found) return found;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
};

test("pipelines are found by a text and a template, and the filter is kept as a view", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/pipelines`);
  await page.keyboard.press("/");
  await page.keyboard.type("ward SEVEN");
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]q=ward/);
  assert.equal(await page.locator("tbody tr").count(), 2);
  await page.getByText("More filters").click();
  await page.getByLabel("Template", { exact: true }).fill("techdeck");
  await page.getByLabel("Tag", { exact: true }).fill("weekly");
  await page.getByLabel("Created from (UTC)").fill("2026-01-02T03:04");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.waitForURL(/template=techdeck/);
  assert.equal(await page.locator("tbody tr").count(), 2);
  await page.getByText("Save view").click();
  await page.getByLabel("Name of the view").fill("Ward seven");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("“Ward seven” is saved").waitFor();
  await barriers(page, "pipelines that a filter found");
  await shot(page, "pipelines-view");
  await page.goto(`${server.url}/pipelines?template=a/b`);
  assert.match(await page.getByRole("alert").textContent(), /no template can be called/);
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Ward seven" }).click();
  await page.waitForURL(/tag=weekly/);
  assert.equal(await page.locator("tbody tr").count(), 2);
  assert.deepEqual(found, []);
  await context.close();
});

test("agents are found by what they can do, and the filter is kept as a view", async () => {
  const { context, page, found } = await person();
  await page.goto(`${server.url}/agents?q=BIAS`);
  assert.ok((await page.locator("tbody tr").count()) >= 1);
  await page.getByText("Save view").click();
  await page.getByLabel("Name of the view").fill("Bias");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("“Bias” is saved").waitFor();
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Not heard" }).click();
  await page.waitForURL(/status=suspect/);
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Bias" }).click();
  await page.waitForURL(/q=BIAS/);
  assert.deepEqual(found, []);
  await context.close();
});

test("a stage: what waits is tried now by an operation, what failed runs again with its pipeline", async () => {
  const { context, page, found } = await person();
  const id = await server.pipeline("To be tried again", [], true);
  const agent = await server.agent("reader-1", ["data_ingestion"]);
  const take = async () => {
    const task = await until(async () => (await agent.claim(4)).find((each) => each.pipeline_id === id));
    await agent.start(task);
    return task;
  };
  await agent.fail(await take(), "network", "connection reset");
  await page.goto(`${server.url}/pipelines/${id}?stage=1`);
  await page.getByText("1 task waits for another try.").waitFor();
  await barriers(page, "a stage with a task that waits");
  await shot(page, "stage-waiting");
  await page.locator("#stage-tasks").getByRole("link", { name: /Retry now/ }).click();
  await page.getByRole("button", { name: /^Retry/ }).click();
  await page.waitForURL(/\/operations\/op/);

  await agent.fail(await take(), "validation", "column `answer` is not there");
  await until(async () => (await server.call("GET", `/pipelines/${id}`)).status === "failed");
  await page.goto(`${server.url}/pipelines/${id}?stage=1`);
  await page.getByText("come back only with it").waitFor();
  await barriers(page, "a stage that failed");
  await shot(page, "stage-failed");
  await page.getByRole("button", { name: "Retry what failed in stage 1" }).click();
  await page.getByText("Stage 1 runs.").waitFor();
  assert.equal((await server.call("GET", `/pipelines/${id}`)).status, "running");
  assert.deepEqual(found, []);
  await context.close();
});
