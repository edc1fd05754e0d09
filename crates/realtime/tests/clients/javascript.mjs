// The realtime server, held to socket.io-client: `node javascript.mjs`, with MCPANEL_TEST_HTTP, MCPANEL_TEST_REALTIME
// and MCPANEL_TEST_KEY saying where a server is and who calls. Everything once over websockets and once over polling.
// With MCPANEL_TEST_ALONE, which says where an instance has sockets alone, that one is held to it too.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";

const http = process.env.MCPANEL_TEST_HTTP;
const realtime = process.env.MCPANEL_TEST_REALTIME;
const alone = process.env.MCPANEL_TEST_ALONE;
const key = process.env.MCPANEL_TEST_KEY;
const LONG_MS = 20_000;

async function call(method, path, body, credential = key) {
  const answer = await fetch(http + path, {
    method,
    headers: { "x-api-key": credential, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), LONG_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const once = (socket, event, wanted = () => true) =>
  within(
    new Promise((resolve) => {
      const listener = (body, ack) => {
        if (!wanted(body)) return;
        socket.off(event, listener);
        resolve([body, ack]);
      };
      socket.on(event, listener);
    }),
    event,
  );

function open(transport, auth, at = realtime) {
  return io(at, { transports: [transport], auth, reconnection: false, forceNew: true });
}

async function connected(transport, auth = { api_key: key }, at = realtime) {
  const socket = open(transport, auth, at);
  await within(
    new Promise((resolve, reject) => {
      socket.on("connect", resolve);
      socket.on("connect_error", reject);
    }),
    "connect",
  );
  return socket;
}

const ask = (socket, event, body) => within(socket.emitWithAck(event, body), event);

const journeys = {
  async "a caller without credentials is refused in words"(transport) {
    const socket = open(transport, undefined);
    const [error] = await once(socket, "connect_error");
    assert.match(error.message, /^unauthenticated: connect with/);
    socket.close();
  },

  async "an agent works and a page watches"(transport, id) {
    const page = await connected(transport);
    const subscribed = await ask(page, "subscribe", { room: "namespace" });
    assert.equal(subscribed.ok, true);
    const heard = [];
    page.onAny((event, body) => heard.push([event, body]));

    const agent = await connected(transport);
    const registered = await ask(agent, "agent:register", {
      agentId: id,
      agentType: "bias-detector",
      capabilities: [id],
      metadata: { from: "javascript" },
    });
    assert.equal(registered.agent.agent_id, id);
    const delivery = once(agent, "task:delegate");
    const task = await call("POST", "/api/v1/tasks", { task_type: id, parameters: { text: "grüße" } });
    const [delegated, acknowledge] = await delivery;
    assert.equal(delegated.type, "task:delegate");
    const { taskId, lease, taskType, agentId, parameters } = delegated.payload;
    assert.deepEqual([taskId, taskType, agentId, parameters], [task.task_id, id, id, { text: "grüße" }]);
    acknowledge({ accepted: true });
    assert.equal((await ask(agent, "task:start", { taskId, lease })).status, "running");
    const progress = { taskId, lease, progress: 50, message: "half", status: "running" };
    assert.equal((await ask(agent, "progress:update", progress)).progress, 50);
    const alive = await ask(agent, "agent:heartbeat", { tasks: [taskId] });
    assert.deepEqual([alive.ok, alive.cancel, alive.lost], [true, [], []]);
    const completed = once(page, "task:completed", (body) => body.payload.taskId === taskId);
    assert.equal((await ask(agent, "task:complete", { taskId, lease, result: { rows: 3 } })).status, "completed");
    await completed;
    const stale = await ask(agent, "task:complete", { taskId, lease: "7-00", result: {} });
    assert.deepEqual([stale.ok, stale.code, stale.status], [false, "stale_lease", 409]);

    const mine = heard.filter(([, body]) => body.payload.taskId === taskId);
    const kinds = mine.map(([event]) => event);
    assert.deepEqual(kinds, ["task:created", "task:delegate", "task:started", "progress:update", "task:completed"]);
    assert.equal(mine[3][1].payload.progress, 50);
    const seqs = heard.map(([, body]) => body.seq);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
    const log = await call("GET", `/api/v1/events?limit=500&after=${subscribed.last_seq}&task_id=${taskId}`);
    assert.deepEqual(mine.map(([, body]) => body), log.events);
    agent.close();
    page.close();
  },

  async "a page that comes back is told what it missed"(transport, id) {
    const first = await connected(transport);
    const { last_seq } = await ask(first, "subscribe", { room: "namespace" });
    first.close();
    const made = [];
    for (let each = 0; each < 5; each += 1) {
      made.push((await call("POST", "/api/v1/tasks", { task_type: id })).task_id);
    }
    const back = await connected(transport);
    const missed = [];
    back.on("task:created", (body) => missed.push(body.payload.taskId));
    const told = await ask(back, "subscribe", { room: "namespace", after: last_seq });
    assert.ok(told.replayed >= made.length && missed.length >= made.length, JSON.stringify(told));
    assert.deepEqual(missed.filter((task) => made.includes(task)), made);
    const lost = await ask(back, "subscribe", { room: "namespace", after: 9_000_000_000 });
    assert.equal(lost.resync, true);
    for (const task of made) await call("POST", `/api/v1/tasks/${task}/cancel`, {});
    back.close();
  },

  async "a page whose line breaks comes back by itself, with its last number"(transport, id) {
    const page = io(realtime, { transports: [transport], auth: { api_key: key }, reconnectionDelay: 100, forceNew: true });
    let last;
    const heard = [];
    page.on("task:created", (body) => {
      last = body.seq;
      if (body.payload.taskType === id) heard.push(body.payload.taskId);
    });
    const subscribe = async () => {
      const told = await ask(page, "subscribe", { room: "namespace", after: last });
      last = Math.max(last ?? 0, told.last_seq);
    };
    await once(page, "connect");
    await subscribe();
    const first = await call("POST", "/api/v1/tasks", { task_type: id });
    while (heard.length < 1) await once(page, "task:created");
    const again = once(page, "connect");
    page.io.engine.close();
    const second = await call("POST", "/api/v1/tasks", { task_type: id });
    await again;
    await subscribe();
    assert.deepEqual(heard, [first.task_id, second.task_id]);
    for (const task of heard) await call("POST", `/api/v1/tasks/${task}/cancel`, {});
    page.close();
  },

  async "a token that runs out ends its socket with a reason"(transport) {
    const bought = await call("POST", "/api/v1/auth/token", { expires_in_ms: 10_000, permissions: ["event:read"] });
    const socket = await connected(transport, { token: bought.token });
    const reason = once(socket, "disconnect:reason");
    const end = once(socket, "disconnect");
    await ask(socket, "subscribe", { room: "namespace" });
    const [told] = await reason;
    assert.deepEqual([told.code, told.retry], ["token_expired", false]);
    assert.equal((await end)[0], "io server disconnect");
    const refused = open(transport, { token: bought.token });
    const [error] = await once(refused, "connect_error");
    assert.match(error.message, /^unauthenticated: the token expired at /);
    refused.close();
  },

  async "a refused delivery goes back, and a wish to cancel arrives"(transport, id) {
    const agent = await connected(transport);
    await ask(agent, "agent:register", { agentId: id, agentType: "tester", capabilities: [id] });
    const first = once(agent, "task:delegate");
    const task = await call("POST", "/api/v1/tasks", { task_type: id });
    const [, refuse] = await first;
    const second = once(agent, "task:delegate");
    refuse({ accepted: false, reason: "not now" });
    const [delegated, accept] = await second;
    assert.equal(delegated.payload.taskId, task.task_id);
    assert.equal(delegated.payload.attempt, 2);
    accept();
    const { taskId, lease } = delegated.payload;
    await ask(agent, "task:start", { taskId, lease });
    const wish = once(agent, "task:cancel");
    await call("POST", `/api/v1/tasks/${taskId}/cancel`, {});
    assert.equal((await wish)[0].payload.taskId, taskId);
    assert.equal((await ask(agent, "task:cancel", { taskId, lease })).status, "cancelled");
    agent.close();
  },

  async "an agent drains, gives back, logs, fails and comes back"(transport, id) {
    const agent = await connected(transport);
    await ask(agent, "agent:register", { agentId: id, agentType: "tester", capabilities: [id] });
    const taken = async () => {
      const [body, accept] = await once(agent, "task:delegate");
      accept(true);
      return { taskId: body.payload.taskId, lease: body.payload.lease };
    };
    let next = taken();
    await call("POST", "/api/v1/tasks", { task_type: id });
    const first = await next;
    assert.equal((await ask(agent, "agent:drain", {})).draining, true);
    const pushed = [];
    const note = (body) => pushed.push(body.payload.taskId);
    agent.on("task:delegate", note);
    const later = await call("POST", "/api/v1/tasks", { task_type: id });
    await ask(agent, "task:start", first);
    const lines = [{ level: "warn", message: "only half of it" }];
    assert.equal((await ask(agent, "task:log", { ...first, lines })).ok, true);
    const error = { type: "validation", message: "column `text` is missing" };
    assert.equal((await ask(agent, "task:fail", { ...first, error })).status, "failed");
    const log = await call("GET", `/api/v1/tasks/${first.taskId}/logs`);
    assert.deepEqual(log.lines.map((line) => line.message), ["only half of it"]);
    assert.equal((await call("GET", `/api/v1/tasks/${later.task_id}`)).status, "pending");
    assert.deepEqual(pushed, [], "a draining agent is given nothing");
    agent.off("task:delegate", note);
    next = taken();
    assert.equal((await ask(agent, "agent:attach", {})).agent.agent_id, id);
    const second = await next;
    assert.equal(second.taskId, later.task_id);
    const back = await ask(agent, "task:release", { ...second, reason: "no room" });
    assert.equal(back.status, "pending");
    agent.close();
    await call("POST", `/api/v1/tasks/${later.task_id}/cancel`, {});
  },

  async "one agent lives on a socket, and moves to the next one that it attaches to"(transport, id) {
    const agent = await connected(transport);
    const registered = await ask(agent, "agent:register", { agentId: id, agentType: "tester", capabilities: [id] });
    const other = await ask(agent, "agent:register", { agentId: `${id}-2`, agentType: "tester", capabilities: [id] });
    assert.deepEqual([other.ok, other.status, other.code], [false, 409, "conflict"]);
    assert.match(other.detail, new RegExp(`agent \`${id}\` lives on this socket`));
    const reason = once(agent, "disconnect:reason");
    const moved = await connected(transport, { token: registered.token });
    assert.equal((await ask(moved, "agent:attach", {})).agent.agent_id, id);
    assert.equal((await reason)[0].code, "attached_elsewhere");
    const delivery = once(moved, "task:delegate");
    const task = await call("POST", "/api/v1/tasks", { task_type: id });
    const [delegated, refuse] = await delivery;
    assert.equal(delegated.payload.taskId, task.task_id);
    // Nobody can tell what that means: the task goes back.
    refuse("perhaps");
    const again = once(moved, "task:delegate");
    assert.equal((await again)[0].payload.attempt, 2);
    moved.close();
    await call("POST", `/api/v1/tasks/${task.task_id}/cancel`, {});
  },

  async "what somebody may not, and what nobody can read, is refused in words"(transport) {
    const made = await call("POST", "/api/v1/keys", { name: "a reader's", permissions: ["task:read"] });
    const reader = await connected(transport, { api_key: made.api_key });
    const namespace = await ask(reader, "subscribe", { room: "namespace" });
    assert.deepEqual([namespace.ok, namespace.status, namespace.code], [false, 403, "forbidden"]);
    const agent = await ask(reader, "agent:register", { agentId: "nobody", agentType: "t", capabilities: ["x"] });
    assert.deepEqual([agent.ok, agent.code], [false, "forbidden"]);
    for (const [body, pointer] of [[null, ""], [{ room: 7 }, "/room"], [{ room: "namespace", after: -1 }, "/after"], [{ rom: "x" }, "/rom"]]) {
      const refused = await ask(reader, "subscribe", body);
      assert.deepEqual([refused.code, refused.errors[0].pointer], ["validation", pointer]);
      assert.doesNotMatch(refused.detail, /expected|column/, "no parser speaks here");
    }
    reader.close();
    await call("DELETE", `/api/v1/keys/${made.key.key_id}`);
  },

  async "a message that is too large ends its own line"(transport) {
    const loud = await connected(transport);
    const quiet = await connected(transport);
    const end = once(loud, "disconnect");
    loud.emit("task:complete", { result: "x".repeat(1_500_000) });
    assert.match((await end)[0], /^transport (close|error)$/);
    assert.equal((await ask(quiet, "subscribe", { room: "namespace" })).ok, true);
    quiet.close();
  },

  async "a page of another origin is refused"(transport) {
    const extraHeaders = { origin: "https://elsewhere.example" };
    const page = io(realtime, { transports: [transport], auth: { api_key: key }, reconnection: false, forceNew: true, extraHeaders });
    const refused = new Promise((resolve, reject) => {
      page.on("connect_error", resolve);
      page.on("connect", () => reject(new Error("it was let in")));
    });
    assert.ok(await within(refused, "a refusal"));
    page.close();
  },

  async "a revoked key ends its socket with a reason"(transport) {
    const made = await call("POST", "/api/v1/keys", { name: "a page's", permissions: ["event:read"] });
    const socket = await connected(transport, { api_key: made.api_key });
    await ask(socket, "subscribe", { room: "namespace" });
    const reason = once(socket, "disconnect:reason");
    const end = once(socket, "disconnect");
    await call("DELETE", `/api/v1/keys/${made.key.key_id}`);
    assert.equal((await reason)[0].code, "key_revoked");
    assert.equal((await end)[0], "io server disconnect");
  },
};

const journeysAlone = {
  async "sockets alone tell the same events, and what somebody missed elsewhere"(transport, id) {
    const { token } = await call("POST", "/api/v1/auth/token", { permissions: ["event:read"] });
    const pages = [await connected(transport, { token }), await connected(transport, { token }, alone)];
    const heard = pages.map(() => []);
    for (const [at, page] of pages.entries()) {
      await ask(page, "subscribe", { room: "namespace" });
      page.on("task:created", (body) => body.payload.taskType === id && heard[at].push(body));
      page.on("task:cancelled", (body) => body.payload.taskType === id && heard[at].push(body));
    }
    const ends = pages.map((page) => once(page, "task:cancelled", (body) => body.payload.taskType === id));
    const task = await call("POST", "/api/v1/tasks", { task_type: id });
    await call("POST", `/api/v1/tasks/${task.task_id}/cancel`, {});
    await Promise.all(ends);
    assert.deepEqual(heard[0].map((body) => body.type), ["task:created", "task:cancelled"]);
    assert.deepEqual(heard[1], heard[0], "the same numbers, too");
    for (const page of pages) page.close();

    // Who was on the one comes back to the other.
    const later = await call("POST", "/api/v1/tasks", { task_type: id });
    const back = await connected(transport, { token }, alone);
    const missed = once(back, "task:created", (body) => body.payload.taskId === later.task_id);
    const told = await ask(back, "subscribe", { room: "namespace", after: heard[0].at(-1).seq });
    assert.ok(told.replayed >= 1 && !told.resync, JSON.stringify(told));
    await missed;
    await call("POST", `/api/v1/tasks/${later.task_id}/cancel`, {});
    back.close();
  },

  async "sockets alone know tokens, and no keys and no agents"(transport, id) {
    const refused = open(transport, { api_key: key }, alone);
    const [error] = await once(refused, "connect_error");
    assert.match(error.message, /token/);
    refused.close();
    const { token } = await call("POST", "/api/v1/auth/token", {});
    const page = await connected(transport, { token }, alone);
    const agent = await ask(page, "agent:register", { agentId: id, agentType: "tester", capabilities: [id] });
    assert.equal(agent.ok, false);
    assert.ok(agent.detail, "it says why");
    page.close();
  },
};

const held = alone ? { ...journeys, ...journeysAlone } : journeys;
for (const transport of ["websocket", "polling"]) {
  for (const [name, journey] of Object.entries(held)) {
    await journey(transport, `js-${randomUUID().slice(0, 8)}`);
    console.log(`ok ${transport}: ${name}`);
  }
}
const upgraded = io(realtime, { auth: { api_key: key }, reconnection: false });
await once(upgraded, "connect");
await within(
  new Promise((resolve) => {
    if (upgraded.io.engine.transport.name === "websocket") resolve();
    else upgraded.io.engine.once("upgrade", resolve);
  }),
  "upgrade",
);
assert.equal((await ask(upgraded, "subscribe", { room: "namespace" })).ok, true);
console.log("ok polling, upgraded to websocket");
upgraded.close();
