"""Faults that a gateway has to survive: after each of them it serves the next request, and nothing is lost but what failed."""

import errno
import os
import socket
import struct
import subprocess

import pytest

from fastcgi_client import BEGIN_REQUEST, KEEP_CONN, PARAMS, STDIN, STDOUT, pairs, record, variables

SECRET = b"the inside of the application"


def still_serves(gateway):
    assert gateway.request("/ignores_body").body == b"ignored"


# The application.


@pytest.mark.parametrize(
    "path, status, body, logged",
    [
        # Before the headers: a page of the gateway's.
        ("/raises", "500", None, "LookupError"),
        ("/exits", "500", None, "SystemExit"),
        ("/never_starts", "500", None, "start_response"),
        ("/bad_header", "500", None, "control character"),
        # During: the headers were given, and none of the body was sent.
        ("/raises_while_iterating", "500", None, "ValueError: first block"),
        # After: what was sent stays sent, and the request is ended as failed.
        ("/raises_after_headers", "200", b"begun", "ValueError: second block"),
        # When all is said.
        ("/close_raises", "200", b"fine", "OSError: in close"),
        ("/too_short", "200", b"short", "Content-Length"),
    ],
)
def test_the_application_fails(start, path, status, body, logged):
    gateway = start()
    response = gateway.request(path)
    assert response.status.startswith(status)
    if body is None:
        assert b"Internal Server Error" in response.body and SECRET not in response.body
    else:
        assert response.body == body
    # The application may be told of the end, and fail then, behind the response: the next request is behind that.
    still_serves(gateway)
    assert logged in gateway.log
    if body is None:
        request_id = response.header("X-Request-ID")
        assert request_id and request_id in gateway.log


def test_a_slow_application_holds_up_no_other(start):
    gateway = start(threads=2)
    with gateway.connect() as slow:
        slow.begin(method="POST", path="/step_by_step", CONTENT_LENGTH=None)
        for number in range(3):
            slow.send(record(STDIN, 1, b"%d\n" % number))
            received = slow.receive()
            assert received[0] == STDOUT and received[2].endswith(b"got %d\n" % number)
            still_serves(gateway)
        slow.send(record(STDIN, 1))
        assert slow.response().app_status == 0


# The client.

WHOLE = (
    record(BEGIN_REQUEST, 1, struct.pack("!HB5x", 1, KEEP_CONN))
    + record(PARAMS, 1, pairs(variables(method="POST", path="/read_all", body=b"b" * 1000)))
    + record(PARAMS, 1)
    + record(STDIN, 1, b"b" * 1000)
    + record(STDIN, 1)
)
# Within a header, between two records, within the content of each.
CUTS = sorted({0, 1, 7, 8, 12, 16, 17, 24, 25, 100, WHOLE.index(b"bbbb") - 4, WHOLE.index(b"bbbb"), len(WHOLE) - 500, len(WHOLE) - 8, len(WHOLE) - 1})


@pytest.mark.parametrize("way", ["closes", "resets", "shuts"])
def test_the_client_goes(start, way):
    gateway = start()
    for cut in CUTS:
        with gateway.connect() as connection:
            connection.send(WHOLE[:cut])
            if way == "resets":
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif way == "shuts":
                # Half-open: nothing more comes, and the other way stays open. The gateway gives it up by itself.
                connection.sock.shutdown(socket.SHUT_WR)
                while connection.sock.recv(4096):
                    pass
        still_serves(gateway)


def test_a_half_open_connection_with_a_whole_request_is_answered(start):
    gateway = start()
    with gateway.connect() as connection:
        connection.send(WHOLE)
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.response().body == b"b" * 1000
        assert connection.at_end()


def test_a_connection_that_says_no_more_is_given_up(start):
    gateway = start(read_timeout=0.2)
    connections = []
    for cut in CUTS:
        connection = gateway.connect()
        connection.send(WHOLE[:cut])
        connections.append((cut, connection))
        still_serves(gateway)
    for cut, connection in connections:
        # What has begun its body, the application waits for; it ends at the read timeout.
        if cut > WHOLE.index(b"bbbb") - 8 and cut < len(WHOLE) - 1016:
            while connection.sock.recv(4096):
                pass
        connection.sock.close()
    still_serves(gateway)


def test_the_client_goes_while_the_response_is_sent(start):
    gateway = start()
    for path in ("/big", "/chunks", "/step_by_step"):
        with gateway.connect() as connection:
            connection.begin(method="POST", path=path, CONTENT_LENGTH=None)
            connection.send(record(STDIN, 1, b"line\n"))
            assert connection.receive()[0] == STDOUT
        still_serves(gateway)


def test_a_response_without_end_ends_with_its_client(start):
    gateway = start()
    with gateway.connect() as connection:
        connection.begin(path="/endless")
        connection.send(record(STDIN, 1))
        assert connection.receive()[2].endswith(b"e" * 1000)
    # The only thread is free again.
    assert gateway.events() == ["close endless"]


def test_a_client_that_writes_octet_by_octet(start):
    gateway = start(threads=2)
    with gateway.connect() as connection:
        for at in range(len(WHOLE)):
            connection.send(WHOLE[at : at + 1])
            if at % 200 == 0:
                still_serves(gateway)
        assert connection.response().body == b"b" * 1000


def test_a_client_that_reads_slowly(start):
    gateway = start(threads=2)
    with gateway.connect() as connection:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.begin(path="/big")
        connection.send(record(STDIN, 1))
        # The socket's buffers are full long before two megabytes.
        assert connection.receive()[0] == STDOUT
        for _ in range(5):
            still_serves(gateway)
        # The rest in small pieces.
        content, received_type = b"", STDOUT
        while received_type == STDOUT:
            received_type, _, piece = connection.receive()
            content += piece if received_type == STDOUT else b""
        assert content.count(b"y") == 1_000_000


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "tls": bytes.fromhex("16030100050100000100") + bytes(200),
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "version 0": b"\x00" + record(BEGIN_REQUEST, 1, bytes(8))[1:],
    "version 2": b"\x02" + record(BEGIN_REQUEST, 1, bytes(8))[1:],
    "a short begin": record(BEGIN_REQUEST, 1, b"\0\1"),
    "variables without a request": record(PARAMS, 9, pairs({b"A": b"B"})) + record(PARAMS, 9),
    "a body without a request": record(STDIN, 9, b"body"),
    "a pair longer than the stream": record(BEGIN_REQUEST, 1, struct.pack("!HB5x", 1, 0)) + record(PARAMS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff") + record(PARAMS, 1),
    "no variables": record(BEGIN_REQUEST, 1, struct.pack("!HB5x", 1, 0)) + record(PARAMS, 1) + record(STDIN, 1),
    "a record of another kind": record(200, 1, b"?"),
    "random": bytes((number * number * 31 + number // 7) % 256 for number in range(65536)),
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("after_a_request", [False, True])
def test_garbage(start, name, after_a_request):
    gateway = start()
    with gateway.connect() as connection:
        if after_a_request:
            assert connection.request(flags=KEEP_CONN, path="/ignores_body").body == b"ignored"
        try:
            connection.send(GARBAGE[name])
            connection.sock.shutdown(socket.SHUT_WR)
            while connection.sock.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            # The gateway has closed it with garbage unread.
            pass
    still_serves(gateway)
    assert gateway.process.poll() is None


# The machine.


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system; a limit on the size of files does the same in test_limits.py")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_the_disk_is_full_while_a_body_is_spooled(start, small_disk):
    gateway = start(buffer_body=10, env={"TMPDIR": str(small_disk)})
    response = gateway.request("/upload", method="POST", body=b"u" * 5_000_000)
    assert response.status == "500 Internal Server Error"
    assert os.strerror(errno.ENOSPC) in gateway.log
    # Its room is free again, and short bodies were never in need of it.
    assert gateway.request("/upload", method="POST", body=b"u" * 500_000).body == b"500000"
    assert list(small_disk.iterdir()) == []


def test_the_disk_is_full_while_the_log_is_written(start, small_disk):
    log = small_disk / "gateway.log"
    gateway = start(log_file=str(log))
    still_serves(gateway)
    with open(small_disk / "filler", "wb", buffering=0) as filler:
        with pytest.raises(OSError) as full:
            while True:
                filler.write(bytes(4096))
    assert full.value.errno == errno.ENOSPC
    # What is logged from now on has no room but within the log's last block.
    for _ in range(30):
        assert gateway.request("/raises").status == "500 Internal Server Error"
    still_serves(gateway)
    (small_disk / "filler").unlink()
    request_id = gateway.request("/raises").header("X-Request-ID")
    assert request_id in log.read_text()


@pytest.mark.parametrize("name", ["/dev/full", "no/such/folder/gateway.log", ".", "/proc/version"])
def test_the_log_cannot_be_written(start, tmp_path, name):
    """Serving is more than logging: the log goes to the next place that there is, or nowhere."""
    path = name if name.startswith("/") else str(tmp_path / name)
    gateway = start(log_file=path, env={"TEMP": str(tmp_path)})
    try:
        still_serves(gateway)
    except (ConnectionError, AssertionError):
        pytest.fail("it does not serve: %s" % (gateway.wait(),))
    assert gateway.request("/raises").status == "500 Internal Server Error"
    still_serves(gateway)


@pytest.mark.parametrize("threads_are_daemons", [True, False])
def test_the_interpreter_ends_with_threads_running(start, tmp_path, threads_are_daemons):
    (tmp_path / "threads.py").write_text(
        "import threading, time\n"
        "stop = threading.Event()\n"
        "def work():\n"
        "    while not stop.wait(0.001):\n"
        "        sum(range(1000))\n"
        f"for _ in range(4): threading.Thread(target=work, daemon={threads_are_daemons}).start()\n"
        # What a library with threads of its own does.
        "if not %s: threading._register_atexit(stop.set)\n" % threads_are_daemons
        + "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [str(threading.active_count()).encode()]\n"
    )
    gateway = start(app="threads:app", chdir=str(tmp_path), threads=2)
    assert int(gateway.request().body) >= 5
    _, stderr, status = gateway.stop()
    assert status == 0, stderr
    assert "Fatal Python error" not in stderr
