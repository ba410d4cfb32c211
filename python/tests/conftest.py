"""Starting gateways for the tests."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from fastcgi_client import Connection

HERE = pathlib.Path(__file__).parent
SERVE = "import json, sys, iiswsgi; iiswsgi.serve(**json.loads(sys.argv[1]))"


class Gateway:
    """A gateway in a process of its own, with a listening socket on file descriptor 0 unless it is to make one."""

    def __init__(self, folder, app="applications:application", env=None, stdin="listen", **options):
        self.folder = folder
        self.log_path = folder / "gateway.log"
        self.socket_path = folder / "gateway.sock"
        options.setdefault("log_file", str(self.log_path))
        options.setdefault("chdir", str(HERE))
        handed, self.peer = subprocess.DEVNULL, None
        if stdin == "listen":
            # It listens before the process starts, so that nothing has to be waited for.
            handed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            handed.bind(str(self.socket_path))
            handed.listen(50)
        elif stdin == "connected":
            handed, self.peer = socket.socketpair()
        elif stdin == "listen-tcp":
            handed = socket.create_server(("127.0.0.1", 0))
            self.address = handed.getsockname()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, json.dumps({"app": app, **options})],
            stdin=handed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=str(folder),
        )
        if handed is not subprocess.DEVNULL:
            handed.close()

    def connect(self):
        return Connection(self.peer) if self.peer else Connection.unix(self.socket_path)

    def request(self, path="/", **settings):
        with self.connect() as connection:
            return connection.request(path=path, **settings)

    def events(self):
        return json.loads(self.request("/events").body)

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8")

    def wait(self):
        """Standard output, standard error and exit status of a gateway that ends."""
        stdout, stderr = self.process.communicate(timeout=30)
        return stdout.decode(), stderr.decode(), self.process.returncode

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise


@pytest.fixture
def start(tmp_path):
    """Starts gateways, and ends them after the test."""
    gateways = []

    def start(**options):
        gateway = Gateway(tmp_path, **options)
        gateways.append(gateway)
        return gateway

    yield start
    for gateway in gateways:
        if gateway.process.poll() is None:
            gateway.stop()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """One gateway for all tests of a file."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    yield gateway
    _, stderr, status = gateway.stop()
    assert status == 0, stderr


@pytest.fixture(scope="module")
def validated(tmp_path_factory):
    """The same behind wsgiref.validate."""
    gateway = Gateway(tmp_path_factory.mktemp("validated"), app="applications:validated")
    yield gateway
    gateway.stop()
