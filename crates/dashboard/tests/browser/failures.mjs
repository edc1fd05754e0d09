// What is not there, not allowed, or not this server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barriers, shot } from "./check.mjs";
import { person, server } from "./stage.mjs";

test("a page that there is not is a page, and a problem for programs", async () => {
  const { context, page } = await person();
  const answer = await page.goto(`${server.url}/no/such/page`);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  assert.ok(await page.getByRole("navigation", { name: "Main" }).isVisible(), "within the frame");
  await barriers(page, "a page that there is not");
  await page.getByRole("main").getByRole("link", { name: "Overview" }).click();
  await page.waitForURL(`${server.url}/`);
  for (const path of ["/api/v1/nothing", "/api/v2"]) {
    const problem = await page.request.get(`${server.url}${path}`, { headers: { accept: "text/html" } });
    assert.equal(problem.status(), 404);
    assert.match(problem.headers()["content-type"], /application\/problem\+json/, path);
  }
  const none = await page.request.get(`${server.url}/no/such/page`, { headers: { accept: "application/json" } });
  assert.match(none.headers()["content-type"], /application\/problem\+json/);
  await context.close();
});

test("who may not see a page is told what it needs", async () => {
  const made = await server.call("POST", "/keys", { name: "tasks only", permissions: ["task:read"] });
  const { context, page } = await person(made.api_key);
  const answer = await page.goto(`${server.url}/events`);
  assert.equal(answer.status(), 403);
  assert.match(await page.getByRole("main").textContent(), /event:read/);
  await barriers(page, "a page that is not allowed");
  await shot(page, "not-allowed");
  await context.close();
});

test("every page tells where the server stands", async () => {
  const { context, page } = await person();
  for (const path of ["/", "/tasks", "/no/such/page"]) {
    await page.goto(`${server.url}${path}`);
    assert.equal(await page.locator(".environment").textContent(), "staging", path);
    assert.match(await page.title(), /mcpanel staging$/);
  }
  await context.close();
});
