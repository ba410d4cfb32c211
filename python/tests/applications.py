"""WSGI applications for the tests; the tests choose one by the path."""

import itertools
import json
import sys
import threading
import time
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain")]
EVENTS = []


class Body:
    """An iterable that tells what is done to it."""

    def __init__(self, name, blocks, closing=None):
        self.name, self.blocks, self.closing = name, iter(blocks), closing

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, Exception):
            raise block
        return block

    def close(self):
        EVENTS.append("close " + self.name)
        if self.closing:
            raise self.closing


def environ(environ, start_response):
    start_response("200 OK", TEXT)
    plain = {name: value for name, value in environ.items() if isinstance(value, (str, bool, tuple))}
    plain["type"] = type(environ).__name__
    return [json.dumps(plain).encode()]


def spoils_environ(environ, start_response):
    """Does to its environ what applications and middleware do, and keeps it."""
    answer = json.dumps({name: value for name, value in environ.items() if isinstance(value, str)}).encode()
    KEPT.append(environ)
    environ["PATH_INFO"] = environ["HTTP_X"] = "spoilt"
    environ["added.by.application"] = "spoilt"
    environ.pop("REQUEST_METHOD")
    environ.pop("wsgi.version")
    start_response("200 OK", TEXT)
    return [answer]


KEPT = []


def kept_environs(environ, start_response):
    start_response("200 OK", TEXT)
    kept = [[spoilt["PATH_INFO"], spoilt["HTTP_X"], "REQUEST_METHOD" in spoilt] for spoilt in KEPT]
    return [json.dumps(kept).encode()]


def echo(environ, start_response):
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))]


def read_all(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [body, environ["wsgi.input"].read(), environ["wsgi.input"].read(5)]


def reads(environ, start_response):
    stream = environ["wsgi.input"]
    parts = [stream.read(3), stream.readline(), stream.readline(2), stream.readline(), stream.readlines(4), list(stream), stream.read(), stream.readline()]
    start_response("200 OK", TEXT)
    return [repr(parts).encode()]


def seeks(environ, start_response):
    """The kind of the body's file, and its octets read twice."""
    stream = environ["wsgi.input"]
    kind = type(stream).__name__
    first = stream.read()
    stream.seek(0)
    again = stream.read()
    start_response("200 OK", TEXT)
    return [f"{kind} {len(first)} {first == again}".encode()]


def disk_full(environ, start_response):
    """From now on no file of this process can grow beyond a megabyte."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    start_response("200 OK", TEXT)
    return [b"full"]


def upload(environ, start_response):
    total = 0
    while True:
        block = environ["wsgi.input"].read(100_000)
        if not block:
            break
        total += len(block)
    start_response("200 OK", TEXT)
    return [str(total).encode()]


def ignores_body(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"ignored"]


def chunks(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("chunks", [b"", b"one ", b"", b"two ", b"three"])


def endless(environ, start_response):
    """As a feed of events that somebody has open."""
    start_response("200 OK", TEXT)
    return Body("endless", itertools.repeat(b"e" * 1000))


def generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"one "
    yield b"two"


def late_start(environ, start_response):
    yield b""
    start_response("200 OK", TEXT)
    yield b"late"


def empty(environ, start_response):
    start_response("204 No Content", [])
    return []


def nothing(environ, start_response):
    start_response("200 OK", TEXT)
    return []


def uses_write(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written ")
    write(b"twice ")
    return [b"and returned"]


def write_only(environ, start_response):
    start_response("200 OK", TEXT)(b"written")
    return []


def file_wrapper(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/x-python")])
    return environ["wsgi.file_wrapper"](open(__file__, "rb"), 100)


def big(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [b"x" * 1_000_000, b"y" * 1_000_000]


def latin(environ, start_response):
    start_response("200 Größe", TEXT + [("X-Name", "\xe9")])
    return [b""]


def set_cookies(environ, start_response):
    start_response("200 OK", TEXT + [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [b"x"]


def errors(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write("half a ")
    stream.write("line\nand \u65e5 another\n")
    stream.writelines(["x\n", "unfinished"])
    stream.flush()
    start_response("200 OK", TEXT)
    return [b"ok"]


def raises(environ, start_response):
    secret = "the inside of the application"
    raise LookupError(secret)


def raises_while_iterating(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("raises_while_iterating", [ValueError("first block")])


def raises_after_headers(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("raises_after_headers", [b"begun", ValueError("second block")])


def close_raises(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("close_raises", [b"fine"], OSError("in close"))


def exits(environ, start_response):
    sys.exit("the application wants out")


def never_starts(environ, start_response):
    return [b"x"]


def never_starts_empty(environ, start_response):
    return iter(())


def starts_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"x"]


def exc_info_before(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        raise ValueError("replaced")
    except ValueError:
        start_response("503 Replaced", TEXT, sys.exc_info())
    return [b"replaced"]


def exc_info_after(environ, start_response):
    def body():
        start_response("200 OK", TEXT)
        yield b"sent"
        try:
            raise ValueError("reraised")
        except ValueError:
            start_response("500 Oops", TEXT, sys.exc_info())
        yield b"never"

    return body()


def bad_status(environ, start_response):
    start_response("200", TEXT)
    return [b"x"]


def bad_header(environ, start_response):
    start_response("200 OK", TEXT + [("X-Evil", "a\r\nSet-Cookie: b=c")])
    return [b"x"]


def hop_by_hop(environ, start_response):
    start_response("200 OK", TEXT + [("Connection", "close")])
    return [b"x"]


def bytes_header(environ, start_response):
    start_response("200 OK", [(b"Content-Type", b"text/plain")])
    return [b"x"]


def tuple_headers(environ, start_response):
    start_response("200 OK", tuple(TEXT))
    return [b"x"]


def text_body(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def writes_text(environ, start_response):
    start_response("200 OK", TEXT)("text")
    return []


def recovers(environ, start_response):
    """A first call that raises, and a second one with exc_info."""
    try:
        start_response("nonsense", TEXT)
    except ValueError:
        start_response("400 Recovered", TEXT, sys.exc_info())
    return [b"recovered"]


def too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return Body("too_long", [b"12", b"3456", b"78"])


def too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "10")])
    return [b"short"]


def exact(environ, start_response):
    def body():
        yield b"12"
        yield b"34"
        EVENTS.append("asked for more")
        yield b"56"

    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return body()


def step_by_step(environ, start_response):
    """Each block is sent only when the client has said that it has the one before."""
    start_response("200 OK", TEXT)
    stream = environ["wsgi.input"]
    while True:
        line = stream.readline()
        if not line:
            break
        yield b"got " + line


def events(environ, start_response):
    found, EVENTS[:] = list(EVENTS), []
    start_response("200 OK", TEXT)
    return [json.dumps(found).encode()]


KEPT = []


def keeps(environ, start_response):
    KEPT[:] = [environ["wsgi.input"], start_response, start_response("200 OK", TEXT)]
    return [b"kept"]


def uses_kept(environ, start_response):
    stream, start, write = KEPT
    outcomes = []
    for use in (lambda: stream.read(), lambda: start("200 OK", TEXT), lambda: write(b"x")):
        try:
            use()
            outcomes.append("ok")
        except Exception as error:
            outcomes.append(type(error).__name__)
    start_response("200 OK", TEXT)
    return [json.dumps(outcomes).encode()]


BARRIER = threading.Barrier(3)


def together(environ, start_response):
    """Answers only when three requests run at once."""
    BARRIER.wait(20)
    start_response("200 OK", TEXT)
    return [threading.current_thread().name.encode()]


LOCAL = threading.local()


def counts(environ, start_response):
    LOCAL.count = getattr(LOCAL, "count", 0) + 1
    start_response("200 OK", TEXT)
    return [str(LOCAL.count).encode()]


def says_when_running(environ, start_response):
    """Tells on the connection that it runs, and ends when the client sends something."""
    write = start_response("200 OK", TEXT)
    write(b"running ")
    environ["wsgi.input"].read(1)
    return [b"finished"]


def hangs(environ, start_response):
    start_response("200 OK", TEXT)(b"hanging")
    while True:
        time.sleep(0.01)


def prints(environ, start_response):
    print("printed to stdout")
    print("printed to stderr", file=sys.stderr)
    sys.stdout.flush()
    start_response("200 OK", TEXT)
    return [b"ok"]


VALIDATED = {"environ", "echo", "chunks", "generator", "empty", "nothing", "uses_write", "exc_info_before", "set_cookies", "write_only"}


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/").replace("/", "_")
    return globals()[name](environ, start_response)


def validated(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    assert name in VALIDATED, name
    return validator(globals()[name])(environ, start_response)


def make():
    return application


class Site:
    wsgi = staticmethod(application)


not_callable = 5
