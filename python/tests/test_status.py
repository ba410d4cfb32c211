"""The pages that the gateway answers itself, and the limits that show there."""

import json
import os

import pytest

from command import Command
from fastcgi_client import STDIN, record

APP = "long_applications:application"


@pytest.fixture
def serve(tmp_path):
    commands = []

    def serve(*options):
        commands.append(Command(tmp_path, APP, *options))
        return commands[-1]

    yield serve
    for command in commands:
        if command.process.poll() is None:
            command.stop()


def test_ping_and_status_are_answered_without_the_application(serve):
    command = serve("--threads", "2", "--ping-path", "/ping", "--status-path", "/app/status")
    assert command.request("/ping").body == b"pong\n"
    with command.connect() as waiting:
        waiting.begin(path="/finishes_with_its_body", method="POST", CONTENT_LENGTH="1")
        begun = waiting.receive()[2]
        assert begun.endswith(b"running ")
        # A request is counted when its response has been sent, which the client may see before.
        rounds = 0
        while True:
            status = json.loads(command.request("/app/status", query="format=json").body)
            rounds += 1
            if (status["requests"], status["in_flight"]) == (rounds, 2):
                break
        waiting.send(record(STDIN, 1, b"."), record(STDIN, 1))
        assert waiting.response(stdout=begun).body == b"running finished"
    [worker] = status["workers"]
    assert (worker["pid"], worker["state"], worker["threads"]) == (command.process.pid, "serving", 2)
    if os.path.exists("/proc/self/status"):
        assert 1 << 20 < worker["resident_octets"] < 1 << 30
    page = command.request("/app/status", HTTP_ACCEPT="text/html,*/*").body.decode()
    assert "<title>iiswsgi status</title>" in page and "<td>%d</td>" % command.process.pid in page
    metrics = command.request("/app/status", HTTP_ACCEPT="application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert metrics.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\niiswsgi_workers{state=\"serving\"} 1\n" in metrics.body
    # As an application under a prefix sees it.
    assert command.request("/status", SCRIPT_NAME="/app", REQUEST_URI="/app/status").status == "200 OK"


def test_without_the_options_the_paths_are_the_applications(serve):
    command = serve()
    assert command.request("/ping").status == "500 Internal Server Error"


def test_a_full_queue_answers_while_all_threads_are_busy(serve):
    command = serve("--queue", "1")
    with command.connect() as busy, command.connect() as queued:
        busy.begin(path="/finishes_with_its_body", method="POST", CONTENT_LENGTH="1")
        begun = busy.receive()[2]
        queued.begin(path="/events")
        queued.send(record(STDIN, 1))
        refused = command.request("/events")
        assert (refused.status, refused.header("Retry-After")) == ("503 Service Unavailable", "1")
        busy.send(record(STDIN, 1, b"."), record(STDIN, 1))
        assert busy.response(stdout=begun).body == b"running finished"
        assert queued.response().body == b"[]"
    assert "the queue is full" in command.log


def test_a_head_that_does_not_come_is_not_waited_for(serve):
    command = serve("--header-timeout", "0.2")
    with command.connect() as slow:
        slow.send(record(1, 1, b"\0\1\0\0\0\0\0\0"))
        assert slow.at_end()
    assert "variables did not come within 200ms" in command.log
