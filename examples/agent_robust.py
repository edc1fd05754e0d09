"""agent.py for work that matters: it outlives restarts of the server, tells what it holds so that nothing lost on the
way to it waits, drops work that is no longer its own, and on Ctrl-C ends what it has begun."""
import json, os, signal, threading, time, urllib.error, urllib.request

URL = os.environ.get("MCPANEL_URL", "http://127.0.0.1:8080") + "/api/v1"
HEADERS = {"Content-Type": "application/json", "X-API-Key": os.environ["MCPANEL_API_KEY"]}
stopping = threading.Event()
held = []  # the tasks in hand


def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")


def heartbeat(agent):  # in a thread of its own: long work must not look like death
    while True:
        try:
            pause_ms = post(f"/agents/{agent}/heartbeat", {"tasks": held})["heartbeat_interval_ms"]
        except OSError as error:
            print("heartbeat:", error)
            pause_ms = 1000
        time.sleep(pause_ms / 1000)


def work(task):
    path, lease = f"/tasks/{task['task_id']}", {"lease": task["lease"]}
    try:
        post(path + "/start", lease)
        post(path + "/progress", lease | {"progress": 50, "message": "counting"})
        text = (task.get("parameters") or {}).get("text")
        if isinstance(text, str):
            post(path + "/complete", lease | {"result": {"words": len(text.split())}})
        else:
            post(path + "/fail", lease | {"error": {"type": "validation", "message": "`text` must be a string"}})
    except urllib.error.HTTPError as error:  # 409: the lease is no longer ours, somebody else has the task
        print(task["task_id"], error.code, error.read().decode())


signal.signal(signal.SIGINT, lambda *_: stopping.set())
me = post("/agents/register", {"name": "word counter", "type": "word-counter", "capabilities": ["count_words"]})
agent_id = me["agent"]["agent_id"]
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer " + me["token"]}
threading.Thread(target=heartbeat, args=[agent_id], daemon=True).start()
print(agent_id, "waits for `count_words` tasks", flush=True)
while not stopping.is_set():
    try:
        tasks = post(f"/agents/{agent_id}/claim", {"max": 20, "wait_ms": 5000})["tasks"]
        for number, task in enumerate(tasks):
            held = [task["task_id"] for task in tasks[number:]]
            work(task)
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError) and error.code < 500:
            raise  # such as 409 `session_superseded`: another agent has taken our name
        print("claim:", error)  # the server restarts; what it gave us meanwhile comes again
        stopping.wait(1)
    held = []
