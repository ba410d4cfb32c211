"""The WSGI application that every gateway runs: one path for each workload of the load generator."""

import time

SMALL = b"Hello, world!"
MEGABYTE = b"m" * (1024 * 1024)
CHUNK = b"c" * 1024
HEADERS = [("Content-Type", "text/plain")]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/small":
        start_response("200 OK", HEADERS + [("Content-Length", "13")])
        return [SMALL]
    if path == "/megabyte":
        start_response("200 OK", HEADERS + [("Content-Length", "1048576")])
        return [MEGABYTE]
    if path == "/echo":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", HEADERS + [("Content-Length", str(len(body)))])
        return [body]
    if path == "/upload":
        length = 0
        while block := environ["wsgi.input"].read(65536):
            length += len(block)
        start_response("200 OK", HEADERS)
        return [str(length).encode()]
    if path == "/chunks":
        start_response("200 OK", HEADERS + [("Content-Length", "1024000")])
        return (CHUNK for _ in range(1000))
    if path == "/sleep":
        time.sleep(0.01)
        start_response("200 OK", HEADERS + [("Content-Length", "13")])
        return [SMALL]
    if path == "/compute":
        sum(range(100_000))
        start_response("200 OK", HEADERS + [("Content-Length", "13")])
        return [SMALL]
    start_response("404 Not Found", HEADERS)
    return [b"not found"]
