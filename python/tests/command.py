"""The command `iiswsgi serve` for the tests, with its options as a person writes them."""

import pathlib
import socket
import subprocess
import sys

from fastcgi_client import Connection

HERE = pathlib.Path(__file__).parent


class Command:
    """`iiswsgi serve` with a listening socket on file descriptor 0, in a process of its own."""

    def __init__(self, folder, app, *options, log=True):
        self.folder = folder
        self.socket_path = folder / "command.sock"
        self.log_path = folder / "command.log"
        # It listens before the process starts, so that nothing has to be waited for.
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.socket_path))
        listener.listen(50)
        log_options = ["--log-file", str(self.log_path)] if log else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iiswsgi", "serve", app, "--chdir", str(HERE), *log_options, *options],
            stdin=listener,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=str(folder),
        )
        listener.close()

    def connect(self):
        return Connection.unix(self.socket_path)

    def request(self, path="/", **settings):
        with self.connect() as connection:
            return connection.request(path=path, **settings)

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8")

    def wait(self):
        """Standard output, standard error and exit status of a gateway that ends."""
        stdout, stderr = self.process.communicate(timeout=60)
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
