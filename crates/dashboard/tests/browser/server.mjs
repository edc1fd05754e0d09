// A server of its own for the journeys, with work that somebody did before.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const STARTS_MS_MAX = 30_000;
const BEAT_MS = 5_000;

// What a shell may have for another server: these journeys have their own store, their own secrets and nobody else's data.
const ELSEWHERE = ["MONGODB_URI", "REDIS_URL", "JWT_SECRET", "MCPANEL_ADMIN_KEY"];

const environment = () => {
  const kept = { ...process.env, RUST_LOG: "error", MCPANEL_ENVIRONMENT: "staging" };
  for (const name of ELSEWHERE) delete kept[name];
  return kept;
};

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
};

export class Server {
  /** Starts `binary` over an empty folder, below the path `base` of its host, and waits until it answers. */
  static async start(binary, base = "") {
    const server = new Server();
    server.beats = [];
    server.data = mkdtempSync(join(tmpdir(), "mcpanel-dashboard-"));
    const http = `127.0.0.1:${await freePort()}`;
    server.url = `http://${http}${base}`;
    const realtime = `127.0.0.1:${await freePort()}`;
    const below = base === "" ? [] : ["--base-path", base];
    server.command = [binary, ["serve", "--data", server.data, "--http", http, "--realtime", realtime, ...below]];
    await server.run();
    server.key = readFileSync(join(server.data, "admin.key"), "utf8").trim();
    return server;
  }

  /** Starts it where it was before, over the same folder, and waits until it answers. */
  async run() {
    this.process = spawn(...this.command, { stdio: ["ignore", "ignore", "inherit"], env: environment() });
    const until = Date.now() + STARTS_MS_MAX;
    for (;;) {
      const answer = await fetch(`${this.url}/health/ready`).catch(() => null);
      if (answer?.ok) return;
      if (Date.now() > until || this.process.exitCode !== null) throw new Error("the server does not start");
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Ends it without a word, as a machine that loses its power does. */
  async kill() {
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  async stop() {
    for (const beat of this.beats) clearInterval(beat);
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGTERM");
      await once(this.process, "exit");
    }
    rmSync(this.data, { recursive: true, force: true });
  }

  /** One call of the API. */
  async call(method, path, body, headers = {}) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        "x-api-key": this.key,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  async task(type, parameters = {}) {
    const task = await this.call("POST", "/tasks", { task_type: type, parameters });
    return task.task_id;
  }

  /** A pipeline from the built-in template, begun or not. */
  async pipeline(name, tags = [], execute = false) {
    const made = await this.call("POST", "/pipelines", { name, template: "techdeck", input_data: { text: "hello" }, tags, execute });
    return made.pipeline_id;
  }

  /** An agent that is signed on and does as it is told. */
  async agent(id, capabilities) {
    const made = await this.call("POST", "/agents/register", {
      agent_id: id,
      name: id,
      type: "bias-detector",
      capabilities,
      concurrency: 4,
      version: "1.4.2",
    });
    const headers = { authorization: `Bearer ${made.token}` };
    const call = async (path, body) => {
      const answer = await fetch(`${this.url}/api/v1${path}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : null;
    };
    // Three beats fit into the time after which an agent counts as silent.
    const beat = setInterval(() => call(`/agents/${id}/heartbeat`, {}).catch(() => {}), BEAT_MS);
    this.beats.push(beat);
    return {
      claim: async (max = 1) => (await call(`/agents/${id}/claim`, { max })).tasks,
      start: (task) => call(`/tasks/${task.task_id}/start`, { lease: task.lease }),
      log: (task, lines) => call(`/tasks/${task.task_id}/logs`, { lease: task.lease, lines }),
      progress: (task, progress, message) => call(`/tasks/${task.task_id}/progress`, { lease: task.lease, progress, message }),
      complete: (task, result) => call(`/tasks/${task.task_id}/complete`, { lease: task.lease, result }),
      fail: (task, kind, message) => call(`/tasks/${task.task_id}/fail`, { lease: task.lease, error: { type: kind, message } }),
    };
  }
}
