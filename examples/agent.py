"""An agent in 30 lines of plain Python: it signs on, claims tasks, reports progress, completes. Ctrl-C stops it."""
import json, os, threading, time, urllib.request

URL = os.environ.get("MCPANEL_URL", "http://127.0.0.1:8080") + "/api/v1"
auth = {"X-API-Key": os.environ["MCPANEL_API_KEY"]}

def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json", **auth})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")

def heartbeat():  # in a thread of its own: long work must not look like death
    while True:
        time.sleep(post(agent + "/heartbeat", {})["heartbeat_interval_ms"] / 1000)

me = post("/agents/register", {"name": "word counter", "type": "word-counter", "capabilities": ["count_words"]})
agent, auth = "/agents/" + me["agent"]["agent_id"], {"Authorization": "Bearer " + me["token"]}
threading.Thread(target=heartbeat, daemon=True).start()
try:
    while True:
        for task in post(agent + "/claim", {"max": 1, "wait_ms": 5000})["tasks"]:
            path, lease = "/tasks/" + task["task_id"], {"lease": task["lease"]}  # the lease shows that it is ours
            post(path + "/progress", lease | {"progress": 50, "message": "counting"})
            text = (task["parameters"] or {}).get("text")
            if isinstance(text, str):
                post(path + "/complete", lease | {"result": {"words": len(text.split())}})
            else:
                post(path + "/fail", lease | {"error": {"type": "validation", "message": "`text` must be a string"}})
except KeyboardInterrupt:
    pass
