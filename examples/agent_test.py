"""Runs the agents of this folder against a real server: `MCPANEL_BIN=target/debug/mcpanel python3 examples/agent_test.py`."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BINARY = os.environ["MCPANEL_BIN"]
# A debug build on a busy machine; a healthy run needs a second or two.
PATIENCE_S = 60
# A shell lets what it runs in the background ignore Ctrl-C, and whoever ignores it hands that on to what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Agent:
    """What every agent must do; the subclasses say which file it is."""

    file = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="mcpanel-agent-test-")
        cls.addClassCleanup(folder.cleanup)
        data = pathlib.Path(folder.name, "data")
        http, realtime = free_address(), free_address()
        cls.url = f"http://{http}"
        cls.server = cls.start([BINARY, "serve", "--data", str(data), "--http", http, "--realtime", realtime])
        until("the server answers", cls.is_live)
        cls.key = (data / "admin.key").read_text().strip()
        cls.agent = cls.start(
            [sys.executable, "-B", str(pathlib.Path(__file__).with_name(cls.file))],
            env={**os.environ, "MCPANEL_URL": cls.url, "MCPANEL_API_KEY": cls.key},
        )

    @classmethod
    def start(cls, command, **options):
        process = subprocess.Popen(command, **options)

        def stop():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        cls.addClassCleanup(stop)
        return process

    @classmethod
    def is_live(cls):
        if cls.server.poll() is not None:
            raise RuntimeError(f"the server ended with status {cls.server.returncode}")
        try:
            return urllib.request.urlopen(cls.url + "/health/live", timeout=5).status == 200
        except OSError:
            return False

    def call(self, path, body=None):
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def settle(self, parameters):
        """Creates a task and gives it as it is once the agent is done with it."""
        task = self.call("/tasks", {"task_type": "count_words", "parameters": parameters})
        path = f"/tasks/{task['task_id']}"
        until("the task is done", lambda: self.call(path)["status"] in ("completed", "failed", "cancelled"))
        return self.call(path)

    def test_1_a_task_is_completed_with_its_result(self):
        task = self.settle({"text": "how are you today"})
        self.assertEqual((task["status"], task["result"]), ("completed", {"words": 4}))

    def test_2_bad_parameters_fail_the_task_with_the_reason(self):
        task = self.settle({"text": 4})
        self.assertEqual((task["status"], task["error"]["type"]), ("failed", "validation"))
        self.assertIn("`text` must be a string", task["error"]["message"])

    def test_3_ctrl_c_stops_the_agent_cleanly(self):
        self.agent.send_signal(signal.SIGINT)
        self.assertEqual(self.agent.wait(PATIENCE_S), 0)


class PlainAgentTest(Agent, unittest.TestCase):
    file = "agent.py"

    def test_0_it_is_thirty_lines(self):
        lines = pathlib.Path(__file__).with_name(self.file).read_text().splitlines()
        self.assertLessEqual(len(lines), 30)


class RobustAgentTest(Agent, unittest.TestCase):
    file = "agent_robust.py"


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


def until(what, holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S} s in vain until {what}")
        time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
