// The main journeys, click by click, in a real browser against a real server. Run by `cargo xtask test`, or by hand:
//   MCPANEL_BIN=target/debug/mcpanel CHROMIUM=/usr/bin/chromium node --test crates/dashboard/tests/browser/journeys.mjs
// Each file below adds its own; they run one after another over the same server.
import { after, before } from "node:test";
import { close, open } from "./stage.mjs";

before(open);
after(close);

await import("./people.mjs");
await import("./tasks.mjs");
await import("./rows.mjs");
await import("./runs.mjs");
await import("./pipelines.mjs");
await import("./events.mjs");
await import("./live.mjs");
await import("./charts.mjs");
await import("./failures.mjs");
await import("./below-a-path.mjs");
await import("./every-page.mjs");
