"""PEP 3333, as a Web server sees it."""

import json
import socket

import pytest

import applications
from fastcgi_client import KEEP_CONN, STDIN, STDOUT, record, variables


@pytest.mark.parametrize(
    "path, method, body, expected",
    [
        ("/environ", "GET", b"", None),
        ("/echo", "POST", b"posted", b"posted"),
        ("/echo", "POST", b"z" * 300_000, b"z" * 300_000),
        ("/chunks", "GET", b"", b"one two three"),
        ("/generator", "GET", b"", b"one two"),
        ("/generator", "HEAD", b"", b""),
        ("/empty", "GET", b"", b""),
        ("/nothing", "GET", b"", b""),
        ("/uses_write", "GET", b"", b"written twice and returned"),
        ("/exc_info_before", "GET", b"", b"replaced"),
        ("/set_cookies", "GET", b"", b"x"),
        ("/write_only", "GET", b"", b"written"),
    ],
)
def test_wsgiref_validate_is_content(validated, path, method, body, expected):
    settings = {"CONTENT_TYPE": "text/plain"} if body else {}
    response = validated.request(path, method=method, body=body, **settings)
    assert response.app_status == 0
    assert response.status[:3] in ("200", "204", "503"), (response, validated.log)
    assert expected is None or response.body == expected
    assert "AssertionError" not in validated.log
    assert "WSGIWarning" not in validated.log


def environ_of(gateway, **settings):
    return json.loads(gateway.request("/environ", **settings).body)


def test_environ_is_a_dict_with_all_that_is_required(gateway):
    environ = environ_of(gateway, query="a=b%20c", HTTP_HOST="example.org", HTTPS="on")
    assert environ["type"] == "dict"
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == "/environ"
    assert environ["QUERY_STRING"] == "a=b%20c"
    assert environ["HTTP_HOST"] == "example.org"
    assert environ["wsgi.version"] == [1, 0]
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["wsgi.multithread"] is False
    assert environ["wsgi.multiprocess"] is True
    assert environ["wsgi.run_once"] is False
    assert environ["iiswsgi.request_id"]


def test_no_request_sees_the_environ_of_another(start):
    """The gateway makes an environ from that of an earlier request; what an application does to one is its own."""
    gateway = start()
    requests = [
        {"query": "a=1", "HTTP_X": "first"},
        {"query": "a=2", "HTTP_X": "first"},
        {"query": "a=2", "HTTP_X": "first"},
        {"HTTP_X": "third"},
        {"HTTP_X": "fourth", "HTTP_Y": "more"},
        {"HTTP_Y": "only"},
        {"query": "a=1", "HTTP_X": "first"},
    ]
    with gateway.connect() as connection:
        for sent in requests:
            response = connection.request(path="/spoils_environ", flags=KEEP_CONN, **sent)
            environ = json.loads(response.body)
            assert environ["PATH_INFO"] == "/spoils_environ"
            assert environ["REQUEST_METHOD"] == "GET"
            assert environ["QUERY_STRING"] == sent.get("query", "")
            assert "added.by.application" not in environ
            for name in ("HTTP_X", "HTTP_Y"):
                assert environ.get(name) == sent.get(name)
        kept = json.loads(connection.request(path="/kept_environs", flags=KEEP_CONN).body)
    # Nor does the gateway touch what an application has kept.
    assert kept == [["spoilt", "spoilt", False]] * len(requests)


def test_environ_leaves_out_what_misleads(gateway):
    environ = environ_of(gateway, REMOTE_USER="", HTTP_PROXY="evil", HTTP_CONTENT_TYPE="x", HTTP_CONTENT_LENGTH="3")
    for name in ("REMOTE_USER", "HTTP_PROXY", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "CONTENT_LENGTH"):
        assert name not in environ


def test_natives_are_latin_1(gateway):
    environ = environ_of(gateway, HTTP_X_NAME="日".encode(), HTTP_X_OCTETS=bytes(range(128, 256)))
    assert environ["HTTP_X_NAME"].encode("latin-1").decode() == "日"
    assert environ["HTTP_X_OCTETS"].encode("latin-1") == bytes(range(128, 256))


def test_iis_gives_the_mount_and_the_request_uri_the_octets(gateway):
    settings = {
        "path": "/My/App/environ",
        "SCRIPT_NAME": "/My/App/environ",
        "APPL_MD_PATH": "/LM/W3SVC/1/ROOT/My/App",
        "LOCAL_ADDR": "10.0.0.1",
    }
    with gateway.connect() as connection:
        environ = json.loads(connection.request(**settings).body)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["SERVER_ADDR"]) == ("/My/App", "/environ", "10.0.0.1")


def test_every_way_to_read_the_body(gateway):
    body = b"123abc\nde\nfgh\ni\nj\nklm\nrest"
    response = gateway.request("/reads", method="POST", body=body)
    assert response.body == repr([b"123", b"abc\n", b"de", b"\n", [b"fgh\n"], [b"i\n", b"j\n", b"klm\n", b"rest"], b"", b""]).encode()


def test_the_body_ends_at_content_length(gateway):
    with gateway.connect() as connection:
        connection.begin(method="POST", path="/read_all", CONTENT_LENGTH="5")
        connection.send(record(STDIN, 1, b"12345678"), record(STDIN, 1))
        assert connection.response().body == b"12345"


def test_a_body_without_a_length_ends_with_stdin(gateway):
    response = gateway.request("/read_all", method="POST", body=b"chunked", CONTENT_LENGTH=None)
    assert response.body == b"chunked"


def test_a_large_upload_and_a_large_answer(gateway):
    assert gateway.request("/upload", method="POST", body=b"u" * 5_000_000, piece=65535).body == b"5000000"
    assert gateway.request("/big").body == b"x" * 1_000_000 + b"y" * 1_000_000
    assert gateway.request("/file_wrapper").body == open(applications.__file__, "rb").read()


def test_a_body_that_nobody_reads_does_no_harm(gateway):
    with gateway.connect() as connection:
        for request_id in (1, 2):
            response = connection.request(request_id, KEEP_CONN, path="/ignores_body", method="POST", body=b"i" * 500_000)
            assert response.body == b"ignored"
        assert connection.request(3, 0, path="/echo", method="POST", body=b"still").body == b"still"
        assert connection.at_end()


def test_each_block_is_sent_before_the_next_is_asked_for(gateway):
    with gateway.connect() as connection:
        connection.begin(method="POST", path="/step_by_step", CONTENT_LENGTH=None)
        for line in (b"one\n", b"two\n"):
            connection.send(record(STDIN, 1, line))
            received = b""
            while not received.endswith(b"got " + line):
                record_type, _, content = connection.receive()
                assert record_type == STDOUT
                received += content
        connection.send(record(STDIN, 1))
        assert connection.response().app_status == 0


def test_a_single_answer_gets_its_length(gateway):
    assert gateway.request("/ignores_body").header("Content-Length") == "7"
    assert gateway.request("/big").header("Content-Length") == "2000000"
    assert gateway.request("/nothing").header("Content-Length") == "0"
    for path in ("/generator", "/uses_write", "/empty"):
        assert gateway.request(path).header("Content-Length") is None, path
    assert gateway.request("/ignores_body", method="HEAD").header("Content-Length") is None


def test_start_response_may_wait_for_the_first_block(gateway):
    assert gateway.request("/late_start").body == b"late"


def test_headers_stay_as_they_are(gateway):
    assert gateway.request("/set_cookies").headers == [
        ("Content-Type", "text/plain"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "1"),
    ]
    response = gateway.request("/latin")
    assert (response.status, response.header("X-Name")) == ("200 Größe", "\xe9")


@pytest.mark.parametrize(
    "path, logged",
    [
        ("/raises", "LookupError: the inside of the application"),
        ("/raises_while_iterating", "ValueError: first block"),
        ("/exits", "SystemExit: the application wants out"),
        ("/never_starts", "without calling start_response"),
        ("/never_starts_empty", "without calling start_response"),
        ("/starts_twice", "this time without exc_info"),
        ("/bad_status", "ValueError: the status \"200\""),
        ("/bad_header", "control character"),
        ("/hop_by_hop", "hop-by-hop"),
        ("/bytes_header", "TypeError: a header's name is a str, not bytes"),
        ("/tuple_headers", "TypeError: the headers are a list, not tuple"),
        ("/text_body", "TypeError: a block of the body is bytes, not str"),
        ("/writes_text", "TypeError: write() takes bytes, not str"),
    ],
)
def test_a_failure_is_500_with_an_id_and_the_log_has_the_rest(gateway, path, logged):
    response = gateway.request(path)
    assert response.status == "500 Internal Server Error"
    assert response.stderr == b""
    page = response.body.decode()
    assert "applications.py" not in page and logged not in page
    request_id = response.header("X-Request-ID")
    assert request_id in page
    entry = gateway.log.split(request_id, 1)[1]
    assert logged in entry


def test_the_log_has_the_traceback(gateway):
    gateway.request("/raises")
    assert "Traceback (most recent call last)" in gateway.log
    assert "applications.py" in gateway.log and "in raises" in gateway.log


def test_a_failure_behind_the_headers_ends_the_request_as_failed(gateway):
    response = gateway.request("/raises_after_headers")
    assert (response.status, response.body, response.app_status) == ("200 OK", b"begun", 1)
    response = gateway.request("/exc_info_after")
    assert (response.status, response.body, response.app_status) == ("200 OK", b"sent", 1)
    assert "ValueError: reraised" in gateway.log


def test_exc_info_replaces_headers_that_are_not_sent(gateway):
    assert gateway.request("/exc_info_before").status == "503 Replaced"
    response = gateway.request("/recovers")
    assert (response.status, response.body) == ("400 Recovered", b"recovered")


def test_close_is_called_once_whatever_happens(gateway):
    gateway.events()
    for path in ("/chunks", "/raises_while_iterating", "/raises_after_headers", "/close_raises", "/too_long"):
        gateway.request(path)
        assert gateway.events() == ["close " + path[1:]], path
    gateway.request("/chunks", method="HEAD")
    assert gateway.events() == ["close chunks"]
    assert "OSError: in close" in gateway.log


def test_close_is_called_when_the_client_has_gone(gateway):
    gateway.events()
    connection = gateway.connect()
    connection.begin(path="/chunks")
    connection.sock.shutdown(socket.SHUT_RD)
    connection.sock.close()
    # One process, one request at a time: the answer to this one comes after the other's end.
    assert gateway.events() == ["close chunks"]


def test_content_length_is_held(gateway):
    response = gateway.request("/too_long")
    assert response.body == b"1234"
    response = gateway.request("/too_short")
    assert response.body == b"short"
    assert "shorter than its Content-Length" in gateway.log
    gateway.events()
    assert gateway.request("/exact").body == b"1234"
    assert gateway.events() == []


def test_wsgi_errors_go_to_the_log_line_by_line(gateway):
    response = gateway.request("/errors")
    assert (response.body, response.stderr) == (b"ok", b"")
    lines = [line for line in gateway.log.splitlines() if "wsgi.errors" in line]
    for expected in ("half a line", "and 日 another", "unfinished"):
        assert any(expected in line for line in lines), expected


def test_wsgi_errors_can_go_to_the_server(start):
    gateway = start(stderr_to_server=True)
    assert gateway.request("/errors").stderr.decode() == "half a line\nand 日 another\nx\nunfinished"
    assert gateway.request("/ignores_body").stderr == b""


def test_what_outlives_its_request_does_nothing(gateway):
    gateway.request("/keeps")
    assert json.loads(gateway.request("/uses_kept").body) == ["RuntimeError"] * 3


def test_an_unknown_path_of_the_test_application_is_its_own_fault(gateway):
    assert gateway.request("/no_such_application").status.startswith("500")
    assert b"REQUEST_METHOD" in variables()
