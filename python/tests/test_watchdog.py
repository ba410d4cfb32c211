"""Requests that take long: what is logged of them, and how they end."""

import pytest

from command import Command
from fastcgi_client import KEEP_CONN, STDIN, record

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


def test_a_slow_request_is_logged_with_its_stack(serve):
    command = serve("--threads", "2", "--slow-request", "0.2")
    with command.connect() as slow:
        slow.begin(path="/waits_in_python")
        slow.send(record(STDIN, 1))
        while "is slow" not in (command.log if command.log_path.exists() else ""):
            # Each round is a request, so that this ends where the gateway does.
            command.request("/events")
        assert command.request("/releases").body == b"ok"
        assert slow.response().body == b"released"
    stdout, stderr, status = command.stop()
    assert status == 0, stderr
    log = command.log
    assert "GET /waits_in_python runs for" in log
    assert "RELEASED.wait()" in log and "in waits_in_python" in log
    assert log.count("is slow") == 1


def test_a_request_over_its_time_is_answered_and_ends_the_process(serve):
    command = serve("--threads", "3", "--request-timeout", "0.5")
    with command.connect() as hanging, command.connect() as begun:
        hanging.begin(path="/waits_in_python")
        hanging.send(record(STDIN, 1))
        begun.begin(path="/begins_and_hangs")
        begun.send(record(STDIN, 1))
        response = hanging.response()
        assert response.status == "504 Gateway Timeout"
        request_id = response.header("X-Request-ID")
        assert request_id.encode() in response.body
        response = begun.response()
        assert (response.body, response.app_status) == (b"begun", 1)
        # The two still run, and nothing can end them but the process, which waits for no one else.
        stdout, stderr, status = command.wait()
    assert status == 75, stderr
    log = command.log
    assert "in waits_in_python" in log and "in begins_and_hangs" in log
    assert "request %s given up: GET /waits_in_python" % request_id in log


def test_other_requests_finish_before_the_process_ends(serve):
    command = serve("--threads", "2", "--request-timeout", "4")
    with command.connect() as hanging, command.connect() as other:
        hanging.begin(path="/waits_in_python")
        hanging.send(record(STDIN, 1))
        while True:
            # Begun later than the other, so that its own time is not over.
            other.begin(flags=KEEP_CONN, method="POST", path="/finishes_with_its_body", CONTENT_LENGTH="1")
            begun = other.receive()[2]
            if hanging.sock in readable(hanging.sock):
                break
            other.send(record(STDIN, 1, b"."), record(STDIN, 1))
            assert other.response(stdout=begun).body == b"running finished"
        assert hanging.response().status == "504 Gateway Timeout"
        other.send(record(STDIN, 1, b"."), record(STDIN, 1))
        assert other.response(stdout=begun).body == b"running finished"
        stdout, stderr, status = command.wait()
    assert status == 75, stderr


def readable(sock):
    import select

    return select.select([sock], [], [], 0.3)[0]


def test_an_interpreter_that_hangs_is_ended_too(serve):
    command = serve("--threads", "2", "--request-timeout", "0.5")
    with command.connect() as hanging:
        hanging.begin(path="/holds_the_interpreter")
        hanging.send(record(STDIN, 1))
        assert hanging.response().status == "504 Gateway Timeout"
        stdout, stderr, status = command.wait()
    assert status == 75, stderr
    # faulthandler's way of writing stacks.
    assert 'long_applications.py", line' in command.log and "in holds_the_interpreter" in command.log


def test_a_client_that_has_left_is_noticed(serve):
    command = serve("--threads", "2")
    with command.connect() as leaving:
        leaving.begin(path="/looks_for_its_client")
        leaving.send(record(STDIN, 1))
        assert leaving.receive()[2].endswith(b"running")
    assert_event(command, "before: False")
    assert_event(command, "left")
    with command.connect() as leaving:
        leaving.begin(path="/generates")
        leaving.send(record(STDIN, 1))
        assert leaving.receive()[2].endswith(b"block")
    assert_event(command, "closed")


def assert_event(command, event):
    """Waits for an event; each round is a request."""
    while event not in command.request("/events").body.decode():
        assert command.process.poll() is None


def test_an_application_sets_its_status(serve):
    command = serve("--request-id-header", "X-Request-ID")
    response = command.request("/sets_its_status", query="42", HTTP_X_REQUEST_ID="from-outside")
    assert (response.app_status, response.body) == (42, b"from-outside")
