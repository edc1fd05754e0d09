"""The realtime server, held to python-socketio.

Run with MCPANEL_TEST_HTTP, MCPANEL_TEST_REALTIME and MCPANEL_TEST_KEY saying where a server is and who calls.
Everything once over websockets and once over polling.
"""

import os
import queue
import threading
import uuid

import requests
import socketio

HTTP = os.environ["MCPANEL_TEST_HTTP"]
REALTIME = os.environ["MCPANEL_TEST_REALTIME"]
KEY = os.environ["MCPANEL_TEST_KEY"]
LONG_S = 20


def call(method, path, body=None):
    answer = requests.request(method, HTTP + path, json=body, headers={"x-api-key": KEY}, timeout=LONG_S)
    assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.text else None


class Visitor:
    """A client that remembers what it hears."""

    def __init__(self, transport, auth=None, answers=()):
        self.heard = queue.Queue()
        self.answers = list(answers)
        self.socket = socketio.Client(reconnection=False)
        self.socket.on("*", self._hear)
        self.socket.connect(REALTIME, transports=[transport], auth=auth or {"api_key": KEY}, wait_timeout=LONG_S)

    def _hear(self, event, *arguments):
        self.heard.put((event, arguments[0] if arguments else None))
        if event == "task:delegate" and self.answers:
            answer = self.answers.pop(0)
            return answer() if callable(answer) else answer
        return None

    def ask(self, event, body):
        return self.socket.call(event, body, timeout=LONG_S)

    def hear(self, event, about=lambda body: True):
        while True:
            heard, body = self.heard.get(timeout=LONG_S)
            if heard == event and about(body):
                return body

    def close(self):
        self.socket.disconnect()


def refuses_in_words(transport, _):
    errors = queue.Queue()
    socket = socketio.Client(reconnection=False)
    socket.on("connect_error", errors.put)
    try:
        socket.connect(REALTIME, transports=[transport], auth={"token": "wrong"}, wait_timeout=LONG_S)
        raise AssertionError("it was let in")
    except socketio.exceptions.ConnectionError:
        pass
    assert "unauthenticated: the token is not valid" in str(errors.get(timeout=LONG_S))
    socket.disconnect()


def an_agent_works_and_a_page_watches(transport, name):
    page = Visitor(transport)
    assert page.ask("subscribe", {"room": f"agent:{name}"})["ok"]
    agent = Visitor(transport, answers=[{"accepted": True}])
    register = {
        "type": "agent:register",
        "payload": {"agentId": name, "agentType": "therapist", "capabilities": [name], "metadata": {}},
    }
    told = agent.ask("agent:register", register)
    assert told["agent"]["agent_id"] == name, told
    task = call("POST", "/api/v1/tasks", {"task_type": name, "parameters": {"text": "grüße"}})
    payload = agent.hear("task:delegate")["payload"]
    assert payload["taskId"] == task["task_id"] and payload["parameters"] == {"text": "grüße"}, payload
    about = {"taskId": payload["taskId"], "lease": payload["lease"]}
    assert agent.ask("task:start", about)["status"] == "running"
    assert agent.ask("task:progress", {**about, "progress": 10})["progress"] == 10
    assert agent.ask("task:log", {**about, "lines": [{"level": "info", "message": "seen"}]})["ok"]
    beat = agent.ask("agent:heartbeat", {"tasks": [payload["taskId"]]})
    assert beat["lost"] == [] and beat["ok"], beat
    done = agent.ask("task:complete", {**about, "result": {"rows": 3}})
    assert done["status"] == "completed", done
    completed = page.hear("task:completed")
    assert completed["payload"]["taskId"] == payload["taskId"] and completed["seq"] > 0, completed
    faulty = agent.ask("task:progress", {"taskId": "../x", "progress": 400})
    assert (faulty["ok"], faulty["code"], len(faulty["errors"])) == (False, "validation", 3), faulty
    agent.close()
    page.close()


def a_page_that_comes_back_is_told_what_it_missed(transport, name):
    first = Visitor(transport)
    last = first.ask("subscribe", {"room": "namespace"})["last_seq"]
    first.close()
    made = [call("POST", "/api/v1/tasks", {"task_type": name})["task_id"] for _ in range(5)]
    back = Visitor(transport)
    told = back.ask("subscribe", {"room": "namespace", "after": last})
    assert told["replayed"] >= 5 and not told.get("resync"), told
    for task in made:
        assert back.hear("task:created")["payload"]["taskId"] == task
        call("POST", f"/api/v1/tasks/{task}/cancel", {})
    back.close()


def who_is_too_far_behind_reads_anew(transport, _):
    page = Visitor(transport)
    told = page.ask("subscribe", {"room": "namespace", "after": 9_000_000_000})
    assert told["resync"] and told["last_seq"] < 9_000_000_000, told
    page.close()


def a_token_that_runs_out_ends_its_socket(transport, _):
    token = call("POST", "/api/v1/auth/token", {"expires_in_ms": 10_000, "permissions": ["event:read"]})["token"]
    page = Visitor(transport, auth={"token": token})
    assert page.ask("subscribe", {"room": "namespace"})["ok"]
    reason = page.hear("disconnect:reason")
    assert (reason["code"], reason["retry"]) == ("token_expired", False), reason
    page.close()


def a_refused_delivery_goes_back(transport, name):
    agent = Visitor(transport, answers=[{"accepted": False, "reason": "busy"}, True])
    agent.ask("agent:register", {"agentId": name, "agentType": "tester", "capabilities": [name]})
    task = call("POST", "/api/v1/tasks", {"task_type": name})
    assert agent.hear("task:delegate")["payload"]["attempt"] == 1
    again = agent.hear("task:delegate")["payload"]
    assert (again["taskId"], again["attempt"]) == (task["task_id"], 2), again
    about = {"taskId": again["taskId"], "lease": again["lease"]}
    failed = agent.ask("task:fail", {**about, "error": {"type": "validation", "message": "no such column"}})
    assert failed["status"] == "failed", failed
    agent.close()


def a_delivery_that_nobody_acknowledges_goes_back(transport, name):
    """The agent hears the delivery and says nothing until the server no longer waits; then it takes the second."""
    silent = threading.Event()
    agent = Visitor(transport, answers=[lambda: silent.wait(2 * LONG_S), lambda: True])
    agent.ask("agent:register", {"agentId": name, "agentType": "tester", "capabilities": [name]})
    task = call("POST", "/api/v1/tasks", {"task_type": name})
    try:
        first = agent.hear("task:delegate")["payload"]
        assert (first["taskId"], first["attempt"]) == (task["task_id"], 1), first
        again = agent.hear("task:delegate")["payload"]
        assert (again["taskId"], again["attempt"]) == (task["task_id"], 2), again
    finally:
        silent.set()
    stale = agent.ask("task:start", {"taskId": first["taskId"], "lease": first["lease"]})
    assert (stale["ok"], stale["code"]) == (False, "stale_lease"), stale
    about = {"taskId": again["taskId"], "lease": again["lease"]}
    assert agent.ask("task:complete", {**about, "result": {}})["status"] == "completed"
    agent.close()


def an_agent_comes_back_with_its_token(transport, name):
    agent = Visitor(transport, answers=[True])
    told = agent.ask("agent:register", {"agentId": name, "agentType": "tester", "capabilities": [name]})
    task = call("POST", "/api/v1/tasks", {"task_type": name})
    lease = agent.hear("task:delegate")["payload"]["lease"]
    agent.ask("agent:heartbeat", {})
    agent.close()
    back = Visitor(transport, auth={"token": told["token"]})
    assert back.ask("agent:attach", {})["agent"]["agent_id"] == name
    done = back.ask("task:complete", {"taskId": task["task_id"], "lease": lease})
    assert done["status"] == "completed", done
    call("DELETE", f"/api/v1/agents/{name}")
    assert back.hear("disconnect:reason")["code"] == "agent_unregistered"


def one_agent_lives_on_a_socket_and_moves(transport, name):
    agent = Visitor(transport)
    told = agent.ask("agent:register", {"agentId": name, "agentType": "tester", "capabilities": [name]})
    other = agent.ask("agent:register", {"agentId": f"{name}-2", "agentType": "tester", "capabilities": [name]})
    assert (other["ok"], other["status"], other["code"]) == (False, 409, "conflict"), other
    moved = Visitor(transport, auth={"token": told["token"]}, answers=["perhaps", True])
    assert moved.ask("agent:attach", {})["agent"]["agent_id"] == name
    assert agent.hear("disconnect:reason")["code"] == "attached_elsewhere"
    task = call("POST", "/api/v1/tasks", {"task_type": name})
    # Nobody can tell what the first answer means: the task goes back, and comes again.
    assert moved.hear("task:delegate")["payload"]["attempt"] == 1
    again = moved.hear("task:delegate")["payload"]
    assert (again["taskId"], again["attempt"]) == (task["task_id"], 2), again
    about = {"taskId": again["taskId"], "lease": again["lease"]}
    assert moved.ask("task:complete", {**about, "result": {}})["status"] == "completed"
    agent.close()
    moved.close()


def a_wish_to_cancel_arrives(transport, name):
    agent = Visitor(transport, answers=[True])
    agent.ask("agent:register", {"agentId": name, "agentType": "tester", "capabilities": [name]})
    task = call("POST", "/api/v1/tasks", {"task_type": name})
    given = agent.hear("task:delegate")["payload"]
    about = {"taskId": given["taskId"], "lease": given["lease"]}
    agent.ask("task:start", about)
    call("POST", f"/api/v1/tasks/{task['task_id']}/cancel", {})
    assert agent.hear("task:cancel")["payload"]["taskId"] == task["task_id"]
    assert agent.ask("task:cancel", about)["status"] == "cancelled"
    agent.close()


def what_somebody_may_not_is_refused_in_words(transport, _):
    made = call("POST", "/api/v1/keys", {"name": "a reader's", "permissions": ["task:read"]})
    reader = Visitor(transport, auth={"api_key": made["api_key"]})
    told = reader.ask("subscribe", {"room": "namespace"})
    assert (told["ok"], told["status"], told["code"]) == (False, 403, "forbidden"), told
    faulty = reader.ask("subscribe", {"room": 7})
    assert (faulty["code"], faulty["errors"][0]["pointer"]) == ("validation", "/room"), faulty
    call("DELETE", f"/api/v1/keys/{made['key']['key_id']}")
    assert reader.hear("disconnect:reason")["code"] == "key_revoked"
    reader.close()


JOURNEYS = [
    refuses_in_words,
    an_agent_works_and_a_page_watches,
    a_page_that_comes_back_is_told_what_it_missed,
    who_is_too_far_behind_reads_anew,
    a_token_that_runs_out_ends_its_socket,
    a_refused_delivery_goes_back,
    a_delivery_that_nobody_acknowledges_goes_back,
    an_agent_comes_back_with_its_token,
    one_agent_lives_on_a_socket_and_moves,
    a_wish_to_cancel_arrives,
    what_somebody_may_not_is_refused_in_words,
]

if __name__ == "__main__":
    for transport in ["websocket", "polling"]:
        for journey in JOURNEYS:
            journey(transport, f"py-{uuid.uuid4().hex[:8]}")
            print(f"ok {transport}: {journey.__name__.replace('_', ' ')}")
