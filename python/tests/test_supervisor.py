"""Several worker processes: started, replaced, reloaded, stopped; by real signals, under real load."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import iiswsgi
import pytest

from conftest import HERE
from fastcgi_client import KEEP_CONN, STDIN, Connection, record

APPLICATION = """\
import os, signal, sys, threading

VERSION = {version!r}
TEXT = [("Content-Type", "text/plain")]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/dies":
        os.kill(os.getpid(), signal.SIGKILL)
    write = start_response("200 OK", TEXT)
    if path == "/waits":
        write(b"waiting ")
        return [environ["wsgi.input"].read()]
    if path == "/hangs":
        write(b"hanging")
        threading.Event().wait()
    if path == "/environment":
        return [repr((os.environ.get("IISWSGI_WORKER"), environ["wsgi.multiprocess"])).encode()]
    return [b"%d %s" % (os.getpid(), VERSION.encode())]
"""


def until(condition, site):
    """Waits for what comes without an event that a test could wait on."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, site.log
        os.sched_yield()


class Supervised:
    """`iiswsgi serve --processes`, whose application is a file that the test can change."""

    def __init__(self, folder, *options, processes=2, unix=True, version="one"):
        self.folder, self.log_path = folder, folder / "serve.log"
        self.write(version)
        self.address = str(folder / "serve.sock")
        command = [sys.executable, "-m", "iiswsgi", "serve", "site_of_test", "--chdir", str(folder)]
        command += ["--log-file", str(self.log_path)]
        if processes:
            command += ["--processes", str(processes)]
        self.stderr_path = folder / "stderr"
        listener = None
        if unix:
            command += ["--unix", self.address]
            stdin = subprocess.DEVNULL
        else:
            stdin = listener = socket.create_server(("127.0.0.1", 0))
            self.address = listener.getsockname()
        with self.stderr_path.open("wb") as stderr:
            self.process = subprocess.Popen(command + list(options), stdin=stdin, stderr=stderr)
        if listener:
            listener.close()

    def write(self, version):
        source = version if "\n" in version else APPLICATION.format(version=version)
        new = self.folder / "new"
        new.write_text(source)
        new.replace(self.folder / "site_of_test.py")

    def connect(self):
        if isinstance(self.address, str):
            return Connection.unix(self.address)
        return Connection(socket.create_connection(self.address))

    def request(self, path="/", **settings):
        with self.connect() as connection:
            return connection.request(path=path, **settings).body.decode()

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def wait_for(self, text, times=1):
        """Waits until the log says something; a minute is more than anything takes."""
        until(lambda: self.log.count(text) >= times or self.process.poll() is not None, self)
        assert self.log.count(text) >= times, (self.log, self.stderr_path.read_text())

    def serving(self, workers=2):
        self.wait_for(" serving ", workers)
        return self

    def pids(self, version, workers=2):
        """The processes that answer; asks until there are so many."""
        found = set()

        def ask():
            pid, answering = self.request().split()
            if answering == version:
                found.add(int(pid))
            return len(found) == workers

        until(ask, self)
        return found

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def supervise(tmp_path):
    started = []

    def supervise(*options, **settings):
        started.append(Supervised(tmp_path, *options, **settings))
        return started[-1]

    yield supervise
    for site in started:
        if site.process.poll() is None:
            site.stop()


class Load(threading.Thread):
    """A client that never pauses. A connection that was kept may be closed between two requests; the client then asks once
    more, as Web servers do, but only where not a single octet has come. `again`: also on a fresh connection."""

    def __init__(self, site, keep, again=False):
        super().__init__()
        self.site, self.keep, self.again = site, keep, again
        self.ending, self.versions, self.failures, self.closed = False, [], [], 0

    def run(self):
        connection = None
        while not self.ending:
            is_kept = connection is not None
            try:
                connection = connection or self.site.connect()
                response = connection.request(1, KEEP_CONN if self.keep else 0, path="/")
                self.versions.append(response.body.split()[-1].decode())
                if not self.keep:
                    connection.sock.close()
                    connection = None
            except (OSError, AssertionError) as error:
                nothing_came = isinstance(error, OSError) or str(error).startswith(
                    "the connection ends before the request: {6: b'', 7: b''}"
                )
                if connection and (is_kept or self.again) and nothing_came and not connection.buffer:
                    self.closed += 1
                else:
                    self.failures.append(error)
                if connection:
                    connection.sock.close()
                connection = None
        if connection:
            connection.sock.close()

    def end(self):
        self.ending = True
        self.join()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_share_the_load_and_end_with_the_supervisor(supervise, tmp_path):
    site = supervise().serving()
    pids = site.pids("one")
    assert site.process.pid not in pids
    assert site.request("/environment") == "(None, True)"
    assert site.stop() == 0
    assert not any(map(alive, pids))
    assert not (tmp_path / "serve.sock").exists()


@pytest.mark.parametrize("unix", [True, False], ids=["unix", "tcp"])
def test_sighup_under_load_loses_no_request(supervise, unix):
    site = supervise("--threads", "2", unix=unix).serving()
    load = [Load(site, keep) for keep in (False, True, False, True)]
    for client in load:
        client.start()
    for generation, version in enumerate(["two", "three", "four"], 2):
        site.write(version)
        site.process.send_signal(signal.SIGHUP)
        site.wait_for("generation %d serves" % generation)
        site.pids(version)
    # Every client sees the last one.
    for client in load:
        until(lambda: "four" in client.versions, site)
        client.end()
    assert [client.failures for client in load] == [[], [], [], []]
    # Each of the six workers that have ended may have closed one.
    assert all(client.closed <= 6 for client in load), [client.closed for client in load]
    assert {version for client in load for version in client.versions} >= {"one", "four"}
    site.wait_for("worker ended: exit status 0", 6)
    assert site.stop() == 0
    assert "died" not in site.log and "killed" not in site.log


def test_a_reload_that_fails_changes_nothing(supervise):
    site = supervise().serving()
    before = site.pids("one")
    site.write("import surely_not_installed\n")
    site.process.send_signal(signal.SIGHUP)
    site.wait_for("generation 2 could not be started (exit status 1")
    assert "surely_not_installed" in site.log and "generation 1 goes on serving" in site.log
    assert site.pids("one") == before
    site.write("mended")
    site.process.send_signal(signal.SIGHUP)
    site.wait_for("generation 3 serves")
    assert site.pids("mended").isdisjoint(before)


def test_a_reload_that_hangs_is_given_up_for_the_next_one(supervise):
    site = supervise().serving()
    site.write("import threading\nopen('loading', 'w').close()\nthreading.Event().wait()\n")
    site.process.send_signal(signal.SIGHUP)
    until((site.folder / "loading").exists, site)
    site.write("two")
    site.process.send_signal(signal.SIGHUP)
    site.wait_for("generation 3 serves")
    site.pids("two")
    # It served nobody, and ends by itself.
    site.wait_for("worker ended: signal 9")
    assert "requests did not end" not in site.log


def test_a_start_that_fails_is_seen(supervise):
    site = supervise(version="def application(:\n")
    assert site.process.wait(60) == 1
    stderr = site.stderr_path.read_text()
    for text in (stderr, site.log):
        assert "SyntaxError" in text and "no worker could be started: the first one ended with exit status 1" in text


def die(site):
    """Has the worker killed that takes the request."""
    with pytest.raises((AssertionError, OSError)), site.connect() as connection:
        connection.request(path="/dies")


def test_a_killed_worker_is_replaced_and_loses_only_its_own_request(supervise):
    site = supervise().serving()
    victims = site.pids("one")
    load = [Load(site, False, again=True) for _ in range(2)]
    for client in load:
        client.start()
    die(site)
    site.wait_for("worker died (signal 9)")
    site.serving(3)
    survivors = site.pids("one")
    for client in load:
        client.end()
    # A connection that the worker had accepted, but whose request it had not begun, is closed without an octet.
    assert [client.failures for client in load] == [[], []]
    assert all(client.closed <= 1 for client in load)
    assert len(survivors & victims) == 1
    # The failures of a worker that follow each other are waited for longer.
    assert "another one is started in 100ms" in site.log


def test_draining_finishes_the_running_request(supervise):
    site = supervise(processes=1).serving(1)
    with site.connect() as connection:
        connection.begin(flags=KEEP_CONN, method="POST", path="/waits", CONTENT_LENGTH="4")
        begun = connection.receive()[2]
        assert begun.endswith(b"waiting ")
        site.process.terminate()
        site.wait_for("stopping")
        connection.send(record(STDIN, 1, b"done"), record(STDIN, 1))
        assert connection.response(stdout=begun).body == b"waiting done"
        assert connection.at_end()
    assert site.process.wait(60) == 0


def hang(site):
    connection = site.connect()
    connection.begin(path="/hangs")
    assert connection.receive()[2].endswith(b"hanging")
    return connection


def test_what_does_not_end_in_time_is_killed(supervise):
    site = supervise("--graceful-timeout", "0").serving()
    pids = site.pids("one")
    with hang(site):
        assert site.stop() == 0
    assert "its requests did not end in time" in site.log
    assert not any(map(alive, pids))


def test_the_second_signal_ends_at_once(supervise):
    site = supervise().serving()
    with hang(site):
        site.process.send_signal(signal.SIGINT)
        site.wait_for("stopping")
        assert site.stop(signal.SIGINT) == 0
    assert "ended with the requests that still run" in site.log


def test_workers_end_with_a_supervisor_that_is_killed(supervise, tmp_path):
    site = supervise("--graceful-timeout", "0").serving()
    pids = site.pids("one")
    with hang(site):
        site.process.kill()
        site.process.wait()
        # Also the one that hangs; a process of init's, or a zombie where init does not look, is gone.
        until(lambda: not any(alive(pid) and not is_zombie(pid) for pid in pids), site)
    assert "requests still run" in site.log


def is_zombie(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_the_watchdog_ends_is_replaced_at_once(supervise):
    site = supervise("--request-timeout", "0.5", "--graceful-timeout", "5", processes=1).serving(1)
    with hang(site) as connection:
        while not connection.at_end():
            pass
    site.wait_for("worker ended by itself (exit status 75)")
    site.serving(2)
    site.pids("one", 1)
    assert "died" not in site.log and "threading.Event().wait()" in site.log


def test_max_requests_replaces_workers_without_a_gap(supervise):
    site = supervise("--max-requests", "20", "--max-requests-jitter", "5", processes=1).serving(1)
    load = [Load(site, keep) for keep in (False, True)]
    for client in load:
        client.start()
    site.wait_for("worker ended: exit status 0", 3)
    for client in load:
        client.end()
    assert [client.failures for client in load] == [[], []]
    assert "died" not in site.log and "another worker is asked for" in site.log


def test_max_requests_without_a_supervisor_ends_the_process(start):
    gateway = start(max_requests=3)
    assert [gateway.request("/counts").body for _ in range(3)] == [b"1", b"2", b"3"]
    assert gateway.wait()[2] == 0
    assert "the Web server may start another process" in gateway.log


def test_reload_on_changed_files(supervise):
    site = supervise("--reload").serving()
    site.write("two")
    site.wait_for("generation 2 serves")
    site.pids("two")
    assert "changed: " in site.log and "site_of_test.py" in site.log
    site.write("def broken(:\n")
    site.wait_for("generation 3 could not be started")
    site.pids("two")
    site.write("three")
    site.wait_for("generation 4 serves")
    site.pids("three")


def test_reload_on_a_touched_file(supervise, tmp_path):
    site = supervise("--reload-file", str(tmp_path / "touch")).serving()
    # Nothing else is watched.
    site.write("two")
    (tmp_path / "touch").write_text("")
    site.wait_for("generation 2 serves")
    assert [line for line in site.log.splitlines() if "changed: " in line][0].endswith("/touch")
    site.pids("two")


@pytest.mark.parametrize("option", [{"reload": True}, {"env": {"WSGI_RESTART_FILE_REGEX": r"site_.*\.py"}}], ids=["option", "wfastcgi"])
def test_reload_without_a_supervisor_finishes_the_running_request(start, tmp_path, option):
    (tmp_path / "site_of_test.py").write_text(APPLICATION.format(version="one"))
    gateway = start(app="site_of_test", chdir=str(tmp_path), stdin="connected", **option)
    connection = gateway.connect()
    connection.begin(flags=KEEP_CONN, method="POST", path="/waits", CONTENT_LENGTH="4")
    begun = connection.receive()[2]
    (tmp_path / "site_of_test.py").write_text("changed = True\n")
    until(lambda: "changed: " in gateway.log, gateway)
    connection.send(record(STDIN, 1, b"done"), record(STDIN, 1))
    assert connection.response(stdout=begun).body == b"waiting done"
    assert connection.at_end()
    assert gateway.wait()[2] == 0


def test_any_worker_tells_of_all(supervise):
    site = supervise("--status-path", "/status").serving()
    pids = site.pids("one")

    def status():
        return json.loads(site.request("/status", query="format=json"))

    assert {worker["pid"] for worker in status()["workers"]} == pids
    assert [worker["generation"] for worker in status()["workers"]] == [1, 1]
    site.process.send_signal(signal.SIGHUP)
    site.wait_for("worker ended: exit status 0", 2)
    assert [worker["generation"] for worker in status()["workers"]] == [2, 2]
    die(site)
    site.wait_for("worker died (signal 9)")
    site.serving(5)
    assert status()["restarts"] == 1


def test_sigusr1_opens_the_logs_anew(supervise, tmp_path):
    site = supervise().serving()
    old = site.log_path.rename(tmp_path / "serve.log.old")
    site.process.send_signal(signal.SIGUSR1)
    site.process.send_signal(signal.SIGHUP)
    site.wait_for("generation 2 serves")
    assert "generation 2 serves" not in old.read_text()


def test_processes_of_a_connection_or_a_callable_are_refused(start, tmp_path):
    gateway = start(stdin="connected", processes=2)
    _, stderr, status = gateway.wait()
    assert status == 1 and "maxInstances" in stderr and "connected Unix stream" in stderr
    code = "import iiswsgi; iiswsgi.serve(lambda environ, start_response: [], processes=2, tcp='0', log_file='callable.log')"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=str(tmp_path))
    assert outcome.returncode == 1 and "name it as `module:callable` instead" in outcome.stderr


def test_processes_from_python(start):
    gateway = start(processes=2)
    answered = json.loads(gateway.request("/environ").body)
    assert answered["wsgi.multiprocess"] is True
    assert gateway.stop()[2] == 0
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        iiswsgi.serve("x", colour="red")
    with pytest.raises(TypeError, match="argument 'threads'"):
        iiswsgi.serve("x", threads="many")
    with pytest.raises(ValueError, match="processes has to be at least 1"):
        iiswsgi.serve("x", processes=0)


SYSTEMD = """\
import os, socket, sys
listener = socket.fromfd(int(sys.argv[1]), socket.AF_UNIX, socket.SOCK_STREAM)
# As systemd leaves it, whatever the number was.
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "iiswsgi", "serve", *sys.argv[2:]])
"""


def systemd(path, *arguments, **settings):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        command = [sys.executable, "-c", SYSTEMD, str(listener.fileno()), *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[listener.fileno()], **settings)


@pytest.mark.parametrize("options", [[], ["--processes", "2"]], ids=["alone", "supervised"])
def test_systemd_activation(tmp_path, options):
    path = tmp_path / "systemd.sock"
    process = systemd(path, "applications", "--chdir", str(HERE), "--log-file", str(tmp_path / "log"), *options)
    try:
        with Connection.unix(path) as connection:
            assert connection.request(path="/ignores_body").body == b"ignored"
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_systemd_activation_is_explained(tmp_path):
    process = systemd(tmp_path / "systemd.sock", "--explain", stdout=subprocess.PIPE)
    stdout, _ = process.communicate()
    assert b"file descriptor 3 is a socket of systemd" in stdout


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_of_the_socket(supervise, tmp_path):
    site = supervise("--unix-owner", "12345:54321", "--unix-mode", "600").serving()
    status = os.stat(tmp_path / "serve.sock")
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (12345, 54321, 0o600)
    site.pids("one")
