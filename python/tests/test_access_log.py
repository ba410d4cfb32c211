"""The access log, the log's files, and request ids."""

import json
import os
import re
import signal

import pytest

from command import Command

APP = "long_applications:application"


@pytest.fixture
def serve(tmp_path):
    commands = []

    def serve(*options, **settings):
        commands.append(Command(tmp_path, APP, *options, **settings))
        return commands[-1]

    yield serve
    for command in commands:
        if command.process.poll() is None:
            command.stop()


def test_the_combined_format_is_the_default(serve, tmp_path):
    command = serve("--access-log", str(tmp_path / "access.log"))
    command.request(
        "/events", query="x=y", REMOTE_USER="frank", HTTP_REFERER="http://example.org/", HTTP_USER_AGENT='a "quoted" one\x1b'
    )
    assert command.request("/fails").status == "500 Internal Server Error"
    # There is one thread: with this answer the lines of those before are written. They are there also when it is killed.
    command.request("/events")
    command.process.send_signal(signal.SIGKILL)
    command.wait()
    lines = (tmp_path / "access.log").read_text().splitlines()
    time = r"\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\]"
    line = r'127\.0\.0\.1 - frank %s "GET /events\?x=y HTTP/1\.1" 200 2 "http://example\.org/" "a \\"quoted\\" one\\x1b" \d+ [-0-9a-f]+'
    assert re.fullmatch(line % time, lines[0]), lines[0]
    assert re.fullmatch(r'127\.0\.0\.1 - - %s "GET /fails HTTP/1\.1" 500 \d+ "-" "-" \d+ [-0-9a-f]+' % time, lines[1]), lines[1]


def test_standard_output_and_json(serve):
    command = serve("--access-log", "-", "--access-log-format", "json")
    for _ in range(3):
        command.request("/events")
    stdout, stderr, status = command.stop()
    assert status == 0, stderr
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert [(line["target"], line["status"], line["octets"]) for line in lines] == [("/events", 200, 2)] * 3
    assert len({line["request"] for line in lines}) == 3


def test_a_request_id_is_the_same_everywhere(serve, tmp_path):
    access_log = tmp_path / "access.log"
    command = serve("--request-id-header", "x-request-id", "--access-log", str(access_log), "--access-log-format", "json", "--log-json")
    response = command.request("/fails", HTTP_X_REQUEST_ID="abc-123")
    assert response.header("X-Request-ID") == "abc-123" and b"<code>abc-123</code>" in response.body
    assert command.request("/sets_its_status", query="0", HTTP_X_REQUEST_ID="def").body == b"def"
    forged = command.request("/sets_its_status", query="0", HTTP_X_REQUEST_ID="two words").body
    assert b" " not in forged
    command.stop()
    assert [json.loads(line)["request"] for line in access_log.read_text().splitlines()] == ["abc-123", "def", forged.decode()]
    failures = [json.loads(line) for line in command.log.splitlines() if "ValueError: on demand" in line]
    assert [failure["request"] for failure in failures] == ["abc-123"]
    assert "Traceback" in failures[0]["message"]


def test_files_are_replaced_when_they_have_grown(serve, tmp_path):
    command = serve("--access-log", str(tmp_path / "access.log"), "--log-max-size", "1K", "--log-keep", "2")
    for _ in range(60):
        command.request("/events")
    command.stop()
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("access.log*")}
    assert sorted(sizes) == ["access.log", "access.log.1", "access.log.2"]
    assert all(size <= 1024 for size in sizes.values()), sizes


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_no_reason_not_to_serve(serve):
    command = serve("--access-log", "/dev/full", "--log-file", "/dev/full", log=False)
    for _ in range(3):
        assert command.request("/fails").status == "500 Internal Server Error"
    stdout, stderr, status = command.stop()
    assert (stderr, status) == ("", 0)


def test_an_access_log_that_cannot_be_opened_is_told_in_the_log(serve, tmp_path):
    command = serve("--access-log", str(tmp_path / "command.sock" / "x"))
    assert command.request("/events").status == "200 OK"
    assert "there will be no access log" in command.log
