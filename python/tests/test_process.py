"""The gateway as a process: how it is started, what it says, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from conftest import HERE
from fastcgi_client import GET_VALUES, GET_VALUES_RESULT, KEEP_CONN, STDIN, UNKNOWN_TYPE, Connection, pairs, record


def running(connection, flags=0):
    """Begins a request that runs until its body comes, waits until it does run, and returns what was received."""
    connection.begin(flags=flags, method="POST", path="/says_when_running", CONTENT_LENGTH="1")
    begun = connection.receive()[2]
    assert begun.endswith(b"running ")
    return begun


def send_body(connection):
    connection.send(record(STDIN, 1, b"."), record(STDIN, 1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_finish(start, number):
    gateway = start()
    with gateway.connect() as connection:
        begun = running(connection, KEEP_CONN)
        gateway.process.send_signal(number)
        send_body(connection)
        assert connection.response(stdout=begun).body == b"running finished"
        assert connection.at_end()
    assert gateway.wait()[2] == 0
    assert "stopped" in gateway.log


def test_a_signal_ends_a_gateway_that_waits(start):
    gateway = start()
    with gateway.connect() as idle, gateway.connect() as connection:
        idle.request(flags=KEEP_CONN, path="/ignores_body")
        assert connection.request(path="/ignores_body").body == b"ignored"
        gateway.process.terminate()
        assert gateway.wait()[2] == 0
        assert idle.at_end()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells which signals a process catches")
def test_the_second_signal_ends_an_application_that_hangs(start):
    gateway = start()

    def catches_sigterm():
        with open("/proc/%d/status" % gateway.process.pid) as status:
            caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
        return caught >> (signal.SIGTERM - 1) & 1

    with gateway.connect() as connection:
        connection.begin(path="/hangs")
        assert connection.receive()[2].endswith(b"hanging")
        assert catches_sigterm()
        gateway.process.terminate()
        while catches_sigterm():
            assert gateway.process.poll() is None
        gateway.process.terminate()
        assert gateway.wait()[2] == -signal.SIGTERM


def test_a_connected_stream_is_served_until_it_ends(start):
    gateway = start(stdin="connected")
    connection = gateway.connect()
    assert connection.request(flags=KEEP_CONN, path="/echo", method="POST", body=b"one").body == b"one"
    # IIS's pipe outlives a request without KEEP_CONN, whether its body is read or not.
    assert connection.request(2, 0, path="/ignores_body", method="POST", body=b"two" * 100_000).body == b"ignored"
    assert connection.request(3, 0, path="/echo", method="POST", body=b"three").body == b"three"
    connection.sock.close()
    assert gateway.wait()[2] == 0


def test_a_listening_tcp_socket_is_served(start):
    gateway = start(stdin="listen-tcp")
    with Connection(socket.create_connection(gateway.address)) as connection:
        assert connection.request(path="/ignores_body").body == b"ignored"


def test_web_server_addrs_are_enforced(start):
    gateway = start(stdin="listen-tcp", env={"FCGI_WEB_SERVER_ADDRS": "192.0.2.1"})
    with Connection(socket.create_connection(gateway.address)) as connection:
        assert connection.at_end()
    assert "FCGI_WEB_SERVER_ADDRS" in gateway.log


def test_it_makes_a_unix_socket_and_removes_it(start, tmp_path):
    path = tmp_path / "own.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    gateway = start(stdin=None, unix=str(path), unix_mode=0o600, app="applications:Site.wsgi")
    # The log tells when it serves.
    while "serving" not in (gateway.log if gateway.log_path.exists() else ""):
        assert gateway.process.poll() is None, gateway.wait()
    with Connection.unix(path) as connection:
        assert json.loads(connection.request(path="/environ").body)["wsgi.multiprocess"] is False
    assert path.stat().st_mode & 0o777 == 0o600
    assert gateway.stop()[2] == 0
    assert not path.exists()


def test_nothing_to_serve_on(start):
    gateway = start(stdin=None)
    _, stderr, status = gateway.wait()
    assert status == 1
    assert "file descriptor 0 is a terminal or device, not a socket" in stderr and "--unix" in stderr
    assert "file descriptor 0 is a terminal or device" in gateway.log


def test_threads_run_requests_at_once(start):
    gateway = start(threads=3)
    with gateway.connect() as one, gateway.connect() as two, gateway.connect() as three:
        connections = [one, two, three]
        answers = []
        clients = [threading.Thread(target=lambda c=c: answers.append(c.request(path="/together").status)) for c in connections]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert answers == ["200 OK"] * 3
    assert json.loads(gateway.request("/environ").body)["wsgi.multithread"] is True


def test_a_thread_stays_a_thread(start):
    gateway = start()
    assert [gateway.request("/counts").body for _ in range(3)] == [b"1", b"2", b"3"]


def test_one_thread_serves_many_kept_connections(start):
    gateway = start()
    connections = [gateway.connect() for _ in range(20)]
    for round_ in (1, 2):
        for connection in connections:
            assert connection.request(round_, KEEP_CONN, path="/ignores_body").body == b"ignored"
    for connection in connections:
        connection.sock.close()


def test_the_protocol_is_kept(start):
    gateway = start(threads=2)
    with gateway.connect() as connection:
        connection.send(record(GET_VALUES, 0, pairs({b"FCGI_MPXS_CONNS": b"", b"FCGI_MAX_REQS": b"", b"OTHER": b""})))
        record_type, request_id, content = connection.receive()
        assert (record_type, request_id) == (GET_VALUES_RESULT, 0)
        assert b"FCGI_MPXS_CONNS0" in content and b"FCGI_MAX_REQS2" in content and b"OTHER" not in content
        connection.send(record(77, 0))
        assert connection.receive() == (UNKNOWN_TYPE, 0, bytes([77] + [0] * 7))
        connection.begin(1, KEEP_CONN, role=2)
        assert connection.response(1).protocol_status == 3
        running(connection, KEEP_CONN)
        connection.begin(2, KEEP_CONN)
        send_body(connection)
        # The second request is refused when the first reads on, or after it.
        outcomes = {}
        while len(outcomes) < 2:
            record_type, request_id, content = connection.receive()
            if record_type == 3:
                outcomes[request_id] = content[4]
        assert outcomes == {1: 0, 2: 1}
    with gateway.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert connection.at_end()
    assert gateway.request("/ignores_body").body == b"ignored"


@pytest.mark.parametrize(
    "app, parts",
    [
        ("no_such_module:app", ["there is no module `no_such_module`", str(HERE), "--chdir"]),
        ("broken_import:app", ["`broken_import` needs the module `surely_not_installed`", "pip install", "broken_import.py"]),
        ("applications:nothing_of_that_name", ["has no `nothing_of_that_name`", "applications.py"]),
        ("applications:not_callable", ["it is a int, which cannot be called"]),
        ("broken_syntax:app", ["SyntaxError", "broken_syntax.py"]),
        ("no_such.ini", ["there is no file", "no_such.ini"]),
        ("broken.ini", ["LookupError"]),
    ],
)
def test_an_application_that_cannot_be_loaded(start, tmp_path, app, parts):
    (tmp_path / "broken_import.py").write_text("import surely_not_installed\n")
    (tmp_path / "broken_syntax.py").write_text("def app(:\n")
    (tmp_path / "broken.ini").write_text("[app:other]\nuse = egg:iiswsgi#test_app\n")
    options = {"chdir": str(tmp_path)} if app.startswith("broken") else {}
    gateway = start(app=app, **options)
    _, stderr, status = gateway.wait()
    assert status == 1
    for text in (stderr, gateway.log):
        assert "cannot load the application `%s`" % app in text
        for part in parts:
            assert part in text


@pytest.mark.parametrize("app", ["applications", "applications:make()", "applications.application", "applications:Site.wsgi"])
def test_the_ways_to_name_an_application(start, app):
    assert start(app=app).request("/ignores_body").body == b"ignored"


def test_the_log_is_where_the_description_says(start, tmp_path):
    home = tmp_path / "home"
    env = {"IIS_USER_HOME": str(home).replace("/", "\\"), "IISEXPRESS_SITENAME": "My Site", "TEMP": str(tmp_path / "temp"), "WSGI_LOG": ""}
    gateway = start(log_file=None, app="no_such_module:app", env=env)
    assert gateway.wait()[2] == 1
    log = (home / "Logs" / "My Site" / "iiswsgi.log").read_text()
    assert "no_such_module" in log and "starting" in log
    gateway = start(stdin="connected", log_file=None, app="no_such_module:app", env={**env, "WSGI_LOG": str(tmp_path / "named.log")})
    assert gateway.wait()[2] == 1
    assert "no_such_module" in (tmp_path / "named.log").read_text()


def test_the_log_as_json(start):
    gateway = start(log_json=True)
    gateway.request("/raises")
    entries = [json.loads(line) for line in gateway.log.splitlines()]
    failed = next(entry for entry in entries if entry["level"] == "ERROR")
    assert "LookupError" in failed["message"] and failed["request"]


def test_what_is_printed_without_standard_streams_is_logged(start, tmp_path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "closed.sock"))
    listening.listen()
    # As IIS starts it: only file descriptor 0 is open.
    log = tmp_path / "closed.log"
    options = json.dumps({"app": "applications:application", "chdir": str(HERE), "log_file": str(log)})
    code = "import json, sys, iiswsgi; iiswsgi.serve(**json.loads(sys.argv[1]))"
    process = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@" >&- 2>&-', sys.executable, "-c", code, options], stdin=listening)
    try:
        with Connection.unix(tmp_path / "closed.sock") as connection:
            assert connection.request(path="/prints").body == b"ok"
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert "printed to stdout" in log.read_text() and "printed to stderr" in log.read_text()


def test_paste_deploy(start, tmp_path):
    pytest.importorskip("paste.deploy")
    (tmp_path / "site.ini").write_text(
        "[app:main]\nuse = call:factory:make\ngreeting = hello\n"
        "[app:other]\nuse = call:factory:make\ngreeting = other\n"
        "[loggers]\nkeys = root\n[handlers]\nkeys = file\n[formatters]\nkeys =\n"
        "[logger_root]\nlevel = INFO\nhandlers = file\n"
        "[handler_file]\nclass = FileHandler\nargs = (r'%(here)s/site.log',)\n"
    )
    (tmp_path / "factory.py").write_text(
        "import logging\n"
        "def make(global_conf, greeting):\n"
        "    def app(environ, start_response):\n"
        "        logging.getLogger('site').info('asked')\n"
        "        start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "        return [greeting.encode()]\n"
        "    return app\n"
    )
    assert start(app="config:site.ini", chdir=str(tmp_path)).request("/").body == b"hello"
    assert "asked" in (tmp_path / "site.log").read_text()


def test_paste_deploy_names_and_windows_spelling(start, tmp_path):
    pytest.importorskip("paste.deploy")
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "site.ini").write_text("[app:table]\nuse = call:iiswsgi.paste:test_app_factory\n")
    gateway = start(app="conf\\site.ini#table", chdir=str(tmp_path).replace("/", "\\"))
    assert b"<h1>WSGI environ</h1>" in gateway.request("/").body


def test_paste_deploy_is_not_installed(start, tmp_path):
    (tmp_path / "site.ini").write_text("[app:main]\n")
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text("import sys\nsys.modules['paste.deploy'] = None\n")
    path = os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])
    gateway = start(app="site.ini", chdir=str(tmp_path), env={"PYTHONPATH": path})
    _, stderr, status = gateway.wait()
    assert status == 1
    assert "pip install PasteDeploy" in stderr


def test_paste_server_settings():
    from iiswsgi import paste

    assert paste._options({"threads": "4", "unix": "/s", "unix_mode": "660", "log_json": "true"}) == {
        "threads": 4,
        "unix": "/s",
        "unix_mode": 0o660,
        "log_json": True,
    }
    with pytest.raises(ValueError, match="no setting 'colour'"):
        paste.server_factory(None, colour="red")


def test_paste_server_runner_serves(tmp_path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s.sock"))
    listening.listen()
    code = "import sys; from iiswsgi.paste import *; server_runner(test_app, {}, log_file=sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "l.log")], stdin=listening)
    try:
        with Connection.unix(tmp_path / "s.sock") as connection:
            response = connection.request(path="/x&y")
            assert b"<tr><th>PATH_INFO</th><td>/x&amp;y</td></tr>" in response.body
    finally:
        process.terminate()
        assert process.wait(30) == 0
