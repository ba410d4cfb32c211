"""The gateway in Windows' CPython, started as IIS starts it: a named pipe as standard input, no other stream, and an event."""

import ctypes
import itertools
import os
import pathlib
import subprocess
import sys
import threading
from ctypes import wintypes

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "tests"))

from fastcgi_client import Connection  # noqa: E402

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
kernel32.CreateNamedPipeW.restype = wintypes.HANDLE
kernel32.CreateNamedPipeW.argtypes = [wintypes.LPCWSTR, *[wintypes.DWORD] * 6, ctypes.c_void_p]
kernel32.CreateEventW.restype = wintypes.HANDLE
kernel32.CreateEventW.argtypes = [ctypes.c_void_p, wintypes.BOOL, wintypes.BOOL, wintypes.LPCWSTR]
kernel32.SetEvent.argtypes = [wintypes.HANDLE]
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]

PIPE_ACCESS_DUPLEX = 3
FILE_FLAG_OVERLAPPED = 0x40000000
INVALID_HANDLE_VALUE = wintypes.HANDLE(-1).value
KINDS = [pytest.param(0, id="synchronous"), pytest.param(FILE_FLAG_OVERLAPPED, id="overlapped")]

APPLICATION = """
import atexit
import os
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
CHILD = "import sys; sys.stdout.write(repr(sys.stdin.read()))"


@atexit.register
def leave():
    with open(os.path.join(FOLDER, "left"), "w") as file:
        file.write("left")


def eof():
    try:
        return input()
    except EOFError:
        return "nothing"


def printed():
    print("to standard output")
    sys.stderr.write("to standard error\\n")
    return "printed"


def hang_at_exit():
    atexit.register(time.sleep, 600)
    return "will hang"


PAGES = {
    "/input": eof,
    "/descriptor": lambda: repr(os.read(0, 100)),
    "/child": lambda: subprocess.run([sys.executable, "-c", CHILD], stdout=subprocess.PIPE).stdout.decode(),
    "/print": printed,
    "/hang-at-exit": hang_at_exit,
}


def application(environ, start_response):
    page = PAGES.get(environ["PATH_INFO"], lambda: "hello")()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [page.encode()]
"""


class Inherited(ctypes.Structure):
    """SECURITY_ATTRIBUTES of a handle that other processes get."""

    _fields_ = [("length", wintypes.DWORD), ("descriptor", ctypes.c_void_p), ("inherit", wintypes.BOOL)]

    def __init__(self):
        super().__init__(ctypes.sizeof(Inherited), None, True)


class Stream:
    """A pipe as the client sees sockets."""

    def __init__(self, name):
        self.file = open(name, "r+b", buffering=0)

    def settimeout(self, _seconds):
        """A file has none; the process has one instead."""

    def sendall(self, octets):
        while octets:
            octets = octets[self.file.write(octets) :]

    def recv(self, length):
        return self.file.read(length)

    def close(self):
        self.file.close()


class Gateway:
    """`iiswsgi serve app:application` behind a pipe."""

    numbers = itertools.count()

    def __init__(self, folder, kind=0, output=INVALID_HANDLE_VALUE, options=(), application=APPLICATION, chdir=None):
        self.folder = folder
        (folder / "app.py").write_text(application)
        name = r"\\.\pipe\iiswsgi-test-%d-%d" % (os.getpid(), next(self.numbers))
        inherited = Inherited()
        pipe = kernel32.CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | kind, 0, 1, 8192, 8192, 0, ctypes.byref(inherited))
        assert pipe != INVALID_HANDLE_VALUE, ctypes.get_last_error()
        self.connection = Connection(Stream(name))
        self.event = kernel32.CreateEventW(ctypes.byref(inherited), True, False, None)
        startup = subprocess.STARTUPINFO(dwFlags=subprocess.STARTF_USESTDHANDLES, hStdInput=pipe, hStdOutput=output, hStdError=output)
        variables = {"_FCGI_X_PIPE_": name, "_FCGI_SHUTDOWN_EVENT_": str(self.event), "WSGI_LOG": str(folder / "log")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iiswsgi", "serve", "app:application", "--chdir", str(chdir or folder), *options],
            env={**os.environ, **variables},
            startupinfo=startup,
            close_fds=False,
        )
        kernel32.CloseHandle(pipe)
        # What hangs fails: the pipe ends with the process.
        self.limit = threading.Timer(60, self.process.kill)
        self.limit.start()

    def get(self, path):
        response = self.connection.request(flags=1, path=path)
        assert response.status.startswith("200"), self.log()
        return response.body.decode()

    def tell_to_end(self):
        kernel32.SetEvent(self.event)

    def log(self):
        path = self.folder / "log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def end(self):
        """Waits for the end: the exit status, and the log."""
        return self.process.wait(timeout=120), self.log()

    def close(self):
        self.limit.cancel()
        self.connection.sock.close()
        self.process.kill()
        self.process.wait()
        kernel32.CloseHandle(self.event)


@pytest.fixture
def start(tmp_path):
    gateways = []

    def start(**settings):
        gateways.append(Gateway(tmp_path, **settings))
        return gateways[-1]

    yield start
    for gateway in gateways:
        gateway.close()


@pytest.mark.parametrize("kind", KINDS)
def test_an_application_cannot_eat_the_requests(start, kind):
    gateway = start(kind=kind)
    for path, page in [("/input", "nothing"), ("/descriptor", "b''"), ("/child", "''"), ("/", "hello")]:
        assert gateway.get(path) == page
    gateway.connection.sock.close()
    status, log = gateway.end()
    assert status == 0, log
    assert (gateway.folder / "left").exists()


@pytest.mark.parametrize("output", [pytest.param(0, id="null"), pytest.param(INVALID_HANDLE_VALUE, id="invalid")])
def test_what_is_printed_without_standard_streams_is_in_the_log(start, output):
    gateway = start(output=output)
    assert gateway.get("/print") == "printed"
    assert gateway.get("/") == "hello"
    assert "to standard output" in gateway.log() and "to standard error" in gateway.log()


@pytest.mark.parametrize("kind", KINDS)
def test_the_event_ends_the_process_and_atexit_functions_run(start, kind):
    gateway = start(kind=kind)
    assert gateway.get("/") == "hello"
    gateway.tell_to_end()
    status, log = gateway.end()
    assert status == 0, log
    assert "told to end by the Web server" in log and "stopped" in log
    assert (gateway.folder / "left").exists()


def test_the_event_ends_a_process_with_a_port_too(start):
    gateway = start(options=["--tcp", "127.0.0.1:0"])
    while "serving" not in gateway.log():
        assert gateway.process.poll() is None, gateway.log()
    gateway.tell_to_end()
    status, log = gateway.end()
    assert status == 0, log
    assert (gateway.folder / "left").exists()


def test_a_process_that_hangs_at_its_end_is_ended(start):
    gateway = start(options=["--graceful-timeout", "1"])
    assert gateway.get("/hang-at-exit") == "will hang"
    gateway.tell_to_end()
    status, log = gateway.end()
    assert status == 75, log
    assert "still runs 1s after it was told to end" in log


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"chdir": "C:\\none"}, "C:\\none"),
        ({"application": "raise RuntimeError('does not load')"}, "does not load"),
        ({"options": ["--impersonate", "--tcp", "127.0.0.1:0"]}, "leave `--impersonate` out"),
    ],
    ids=["folder", "application", "impersonation"],
)
def test_what_keeps_it_from_serving_is_in_the_log(start, settings, line):
    status, log = start(**settings).end()
    assert status == 1, log
    assert line in log and "ERROR" in log
