"""Bodies that are read before the application is called, and the limits of serve()."""

import ast
import resource
import socket
import sys

import pytest
from fastcgi_client import KEEP_CONN, STDIN, record


@pytest.mark.parametrize("size, kind", [(0, "BytesIO"), (1, "BytesIO"), (1000, "BytesIO"), (1001, "BufferedRandom"), (3_000_000, "BufferedRandom")])
def test_a_buffered_body_can_seek(start, size, kind):
    gateway = start(buffer_body=1000)
    response = gateway.request("/seeks", method="POST", body=b"s" * size)
    assert response.body.decode() == f"{kind} {size} True"


@pytest.mark.parametrize("memory", [10, 1000])
def test_a_buffered_body_is_read_in_every_way(start, memory):
    gateway = start(buffer_body=memory)
    for _ in range(2):
        response = gateway.request("/reads", method="POST", body=b"123abc\nde\nfgh\ni\nj\nklm\nrest")
        read, readline, two, rest, hinted, lines, *end = ast.literal_eval(response.body.decode())
        assert [read, readline, two, rest] == [b"123", b"abc\n", b"de", b"\n"]
        # Python's files differ in whether a line that reaches the hint is the last.
        assert hinted[0] == b"fgh\n" and hinted + lines == [b"fgh\n", b"i\n", b"j\n", b"klm\n", b"rest"]
        assert end == [b"", b""]


def test_a_buffered_body_needs_no_length(start):
    gateway = start(buffer_body=10)
    response = gateway.request("/read_all", method="POST", body=b"chunked and long", CONTENT_LENGTH=None)
    assert response.body == b"chunked and long"


def test_a_client_that_goes_while_its_body_is_buffered_costs_nothing(start):
    gateway = start(buffer_body=10)
    with gateway.connect() as connection:
        connection.begin(method="POST", path="/events", CONTENT_LENGTH="100")
        connection.send(record(STDIN, 1, b"a part"))
    # The application was not called for it.
    assert gateway.request("/read_all", method="POST", body=b"whole").body == b"whole"


def test_a_full_disk_is_a_500_and_the_gateway_goes_on(start):
    gateway = start(buffer_body=10)
    assert gateway.request("/disk_full").body == b"full"
    response = gateway.request("/upload", method="POST", body=b"u" * 5_000_000)
    assert response.status == "500 Internal Server Error"
    assert "File too large" in gateway.log
    assert gateway.request("/upload", method="POST", body=b"u" * 500_000).body == b"500000"


def test_a_body_that_is_too_long_is_refused(start):
    gateway = start(max_body=1000)
    assert gateway.request("/upload", method="POST", body=b"u" * 1000).body == b"1000"
    assert gateway.request("/upload", method="POST", body=b"u" * 1001).status == "413 Content Too Large"


def test_a_body_that_does_not_come_ends_its_request_only(start):
    gateway = start(read_timeout=0.2)
    with gateway.connect() as connection:
        connection.begin(method="POST", path="/read_all", CONTENT_LENGTH="100")
        connection.send(record(STDIN, 1, b"a part"))
        # Nothing more is sent; the gateway gives the request up.
        connection.sock.settimeout(20)
        while connection.sock.recv(4096):
            pass
    assert gateway.request("/read_all", method="POST", body=b"whole").body == b"whole"


def test_a_client_that_does_not_read_ends_its_request_only(start):
    gateway = start(write_timeout=0.2)
    with gateway.connect() as connection:
        connection.begin(path="/big")
        connection.send(record(STDIN, 1))
        assert gateway.request("/environ").status == "200 OK"


def memory_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of Linux")
def test_ten_thousand_idle_connections_cost_little(start):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard - 200)
    assert wanted >= 2_000, "this machine lets a process open %d files only" % hard
    # The gateway is started by this process, and has its limit.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
    try:
        gateway = start(max_connections=wanted + 10)
        assert gateway.request("/echo", method="POST", body=b"x").body == b"x"
        before = memory_kib(gateway.process.pid)
        idle = [gateway.connect() for _ in range(wanted)]
        # It is served behind all of them, so that they have been accepted.
        assert gateway.request("/echo", method="POST", body=b"x").body == b"x"
        assert (memory_kib(gateway.process.pid) - before) * 1024 < 2_000 * wanted
        assert idle[-1].request(path="/echo", method="POST", body=b"last").body == b"last"
        for connection in idle:
            connection.sock.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_beyond_the_connections_the_others_wait(start):
    gateway = start(max_connections=1)
    first = gateway.connect()
    assert first.request(path="/environ", flags=KEEP_CONN).status == "200 OK"
    second = gateway.connect()
    second.begin(path="/environ")
    second.send(record(STDIN, 1))
    second.sock.settimeout(0.2)
    with pytest.raises(socket.timeout):
        second.sock.recv(1)
    first.sock.close()
    second.sock.settimeout(20)
    assert second.response().status == "200 OK"
    second.sock.close()


@pytest.mark.parametrize("name", ["read_timeout", "write_timeout"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_time(name, seconds):
    import iiswsgi

    with pytest.raises(ValueError, match=name):
        iiswsgi.serve("applications:application", **{name: seconds})
