// Buttons in rows, and filters that somebody keeps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, row, server } from "./stage.mjs";

test("a row is changed where it is: by its button, by a key, and only when one is sure", async () => {
  const { context, page, found } = await person();
  const ids = [];
  for (let at = 0; at < 3; at += 1) ids.push(await server.task("row_work"));
  const [oldest, , newest] = ids;
  const list = `${server.url}/tasks?type=row_work`;
  await page.goto(list);
  await row(page, oldest).getByRole("checkbox").check();
  await row(page, newest).getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancel this task?").waitFor();
  await page.getByRole("button", { name: "Keep as it is" }).click();
  assert.equal((await server.call("GET", `/tasks/${newest}`)).status, "pending");
  await row(page, newest).getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Yes, do it" }).click();
  await row(page, newest).filter({ hasText: "cancelled" }).waitFor();
  assert.match(await page.locator("#said").textContent(), /The task is cancelled/);
  assert.equal(page.url(), list, "one is still in the list");
  assert.ok(await row(page, oldest).getByRole("checkbox").isChecked(), "what was chosen is still chosen");
  await barriers(page, "a list with buttons");
  await shot(page, "rows");

  await row(page, oldest).getByRole("checkbox").uncheck();
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+R");
  await row(page, newest).filter({ hasText: "pending" }).waitFor();
  assert.equal(await page.locator("tr.at").getAttribute("id"), `row-${newest}`, "the row is still the one");
  await page.keyboard.press("Shift+C");
  await page.getByText("Cancel this task?").waitFor();
  await page.keyboard.press("Escape");
  assert.equal((await server.call("GET", `/tasks/${newest}`)).status, "pending", "asked each time");

  await page.goto(`${server.url}/agents`);
  await row(page, "worker-1").getByRole("button", { name: "Drain" }).click();
  await row(page, "worker-1").filter({ hasText: "draining" }).waitFor();
  await row(page, "worker-1").getByRole("button", { name: "Resume" }).click();
  await row(page, "worker-1").getByRole("button", { name: "Drain" }).waitFor();
  assert.equal(page.url(), `${server.url}/agents`);
  assert.deepEqual(found, []);
  await context.close();
});

test("without JavaScript the same button leads back to the same list", async () => {
  const { context, page } = await person(server.key, { javaScriptEnabled: false });
  const id = await server.task("row_work");
  await page.goto(`${server.url}/tasks?type=row_work`);
  await row(page, id).getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The task is cancelled.").waitFor();
  assert.equal(page.url(), `${server.url}/tasks?type=row_work`);
  assert.match(await row(page, id).textContent(), /cancelled/);
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`a filter is kept under a name, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    const { context, page, found } = await person(server.key, { javaScriptEnabled });
    await page.goto(`${server.url}/tasks`);
    assert.equal(await page.getByText("Save view").count(), 0, "there is nothing to save yet");
    await page.goto(`${server.url}/tasks?status=failed&type=bias_detection`);
    await page.getByText("Save view").click();
    await page.getByLabel("Name of the view").fill("Bias that failed");
    if (javaScriptEnabled) await barriers(page, "saving a view");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("“Bias that failed” is saved").waitFor();
    await shot(page, `views${javaScriptEnabled ? "" : "-plain"}`);
    await page.goto(`${server.url}/tasks`);
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Bias that failed" }).click();
    await page.waitForURL(`${server.url}/tasks?status=failed&type=bias_detection`);
    assert.equal(await page.locator("tbody tr").count(), 1);
    await page.getByRole("button", { name: "Remove view" }).click();
    await page.getByText("is removed").waitFor();
    assert.equal(await page.locator("a.saved").count(), 0);
    assert.deepEqual(found, []);
    await context.close();
  });
}
