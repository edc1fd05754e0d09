// What all journeys share: a server with some work on it, a browser, and people in front of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { complaints } from "./check.mjs";
import { Server } from "./server.mjs";

/** How long somebody waits for what they expect to see. Machines that run these tests may be busy. */
const WAIT_MS = 60_000;

export let server;
export let browser;
/** Some work of every kind: done, failed, retried, running, waiting. */
export let work;
let profile;

export const open = async () => {
  profile = mkdtempSync(join(tmpdir(), "mcpanel-browser-"));
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
  work = await begin();
};

export const close = async () => {
  await browser?.close();
  await server?.stop();
  if (profile) rmSync(profile, { recursive: true, force: true });
};

/** A new browser of somebody who is signed in with `key`. */
export const person = async (key = server.key, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const found = complaints(page);
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("API key or token").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  return { context, page, found };
};

/** The row of a document in its list. */
export const row = (page, id) => page.locator(`[id="row-${id}"]`);

const begin = async () => {
  const agent = await server.agent("worker-1", ["bias_detection", "validation"]);
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
  await server.task("emotion_analysis", { file: "nobody-does-this.csv" });
  await server.pipeline("Ward seven, March", ["weekly"]);
  await server.pipeline("Ward seven, April", ["weekly"]);
  await server.pipeline("Ward nine", ["monthly"]);
  return { agent, done, failed, again, running };
};
