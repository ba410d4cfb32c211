"""A WSGI application for the tests behind every Web server: one path for each thing that can go wrong."""

import hashlib
import json
import os
import pathlib
import time

PLAIN = [("Content-Type", "text/plain")]


def _environ(environ, start_response):
    """The strings of the environ, as JSON."""
    strings = {name: value for name, value in environ.items() if isinstance(value, str)}
    body = json.dumps(strings).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _digest(environ, start_response):
    """Octets of the body and their SHA-1, read in pieces."""
    digest, length = hashlib.sha1(), 0
    while True:
        piece = environ["wsgi.input"].read(65536)
        if not piece:
            break
        digest.update(piece)
        length += len(piece)
    start_response("200 OK", PLAIN)
    return [f"{length} {digest.hexdigest()}".encode()]


def _download(environ, start_response):
    """As many octets as the query says, in blocks of 64 KiB."""
    length = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))])

    def blocks():
        left = length
        while left:
            size = min(left, 65536)
            left -= size
            yield b"d" * size

    return blocks()


def _events(environ, start_response):
    """Server-sent events; each one behind the first waits for a file of its number in the folder that the query names.

    Other requests may be served by other processes.
    """
    folder = pathlib.Path(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")])

    def events():
        for number in range(5):
            while number and not (folder / str(number)).exists():
                time.sleep(0.005)
            yield f"data: {number}\n\n".encode()

    return events()


def _cookies(environ, start_response):
    """Two headers of one name, and a status of its own."""
    start_response("201 Created", PLAIN + [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")])
    return [b"made"]


def _redirect(environ, start_response):
    """A Location with the status that the query says."""
    status = environ["QUERY_STRING"].replace("+", " ") or "302 Found"
    start_response(status, [("Location", "https://example.org/elsewhere?a=b"), ("Content-Length", "0")])
    return []


def _latin(environ, start_response):
    start_response("200 OK", PLAIN + [("X-Name", "J\u00fcrgen")])
    return [b"ok"]


def _many(environ, start_response):
    """A thousand small blocks without a length."""
    start_response("200 OK", PLAIN)
    return (f"{number:04}\n".encode() for number in range(1000))


def _fail(environ, start_response):
    raise RuntimeError("secret of the application")


def _fail_late(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"begun"
    raise RuntimeError("secret of the application")


def _lines(environ, start_response):
    """The lines of the body, counted by iteration."""
    count = sum(1 for _ in environ["wsgi.input"])
    start_response("200 OK", PLAIN)
    return [str(count).encode()]


def _host(environ, start_response):
    """Which of several gateways this is, and what was asked."""
    body = f"{os.environ.get('PROBE_HOST', '')} {environ['QUERY_STRING']}".encode()
    start_response("200 OK", PLAIN + [("Content-Length", str(len(body)))])
    return [body]


def _hold(environ, start_response):
    """Says in the folder that the query names which host and process have the request, and answers when there is a file `go`."""
    folder = pathlib.Path(environ["QUERY_STRING"])
    (folder / ("held-by-" + os.environ["PROBE_HOST"])).write_text(str(os.getpid()))
    while not (folder / "go").exists():
        time.sleep(0.005)
    return _host(environ, start_response)


PATHS = {
    "/hold": _hold,
    "/host": _host,
    "/digest": _digest,
    "/download": _download,
    "/events": _events,
    "/cookies": _cookies,
    "/redirect": _redirect,
    "/latin": _latin,
    "/many": _many,
    "/fail": _fail,
    "/fail-late": _fail_late,
    "/lines": _lines,
}


def application(environ, start_response):
    return PATHS.get(environ["PATH_INFO"], _environ)(environ, start_response)
