"""WSGI applications that take their time; the tests choose one by the path."""

import ctypes
import json
import threading

TEXT = [("Content-Type", "text/plain")]
RELEASED = threading.Event()
EVENTS = []


def waits_in_python(environ, start_response):
    RELEASED.wait()
    start_response("200 OK", TEXT)
    return [b"released"]


def releases(environ, start_response):
    RELEASED.set()
    start_response("200 OK", TEXT)
    return [b"ok"]


def holds_the_interpreter(environ, start_response):
    # PyDLL keeps the interpreter's lock during the call, as an extension module can by mistake.
    ctypes.PyDLL(None).sleep(600)
    start_response("200 OK", TEXT)
    return [b"never"]


def finishes_with_its_body(environ, start_response):
    """Says that it runs, and ends when the body comes."""
    write = start_response("200 OK", TEXT)
    write(b"running ")
    environ["wsgi.input"].read()
    return [b"finished"]


def begins_and_hangs(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun")
    RELEASED.wait()
    return [b"never"]


def looks_for_its_client(environ, start_response):
    """Says that it runs, and looks until its client has left."""
    request = environ["iiswsgi.request"]
    environ["wsgi.input"].read()
    EVENTS.append("before: %s" % request.is_disconnected())
    write = start_response("200 OK", TEXT)
    write(b"running")
    while not request.is_disconnected():
        pass
    EVENTS.append("left")
    return [b"nobody reads this"]


def generates(environ, start_response):
    """Blocks without an end; closing it is an event."""
    start_response("200 OK", TEXT)

    def blocks():
        try:
            while True:
                yield b"block"
        finally:
            EVENTS.append("closed")

    return blocks()


def sets_its_status(environ, start_response):
    environ["iiswsgi.request"].set_app_status(int(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [environ["iiswsgi.request_id"].encode()]


def fails(environ, start_response):
    raise ValueError("on demand")


def events(environ, start_response):
    start_response("200 OK", TEXT)
    return [json.dumps(EVENTS).encode()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/") or "events"](environ, start_response)
