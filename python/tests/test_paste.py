"""`egg:iiswsgi#iis` in INI files: its settings, and under pserve and paster."""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time

import iiswsgi
import pytest
from iiswsgi import paste

from fastcgi_client import Connection

pytest.importorskip("paste.deploy")

INI = """
[app:main]
use = egg:iiswsgi#test_app

[app:broken]
use = egg:iiswsgi#no_such_app

[server:main]
use = egg:iiswsgi#iis
"""


def listen(path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


def serve(folder, *command):
    """A process with a listening socket on file descriptor 0, as IIS and its like start one."""
    listening = listen(folder / "s.sock")
    environment = {**os.environ, "TEMP": str(folder)}
    process = subprocess.Popen(command, stdin=listening, stderr=subprocess.PIPE, stdout=subprocess.PIPE, cwd=str(folder), env=environment)
    listening.close()
    return process


def check(folder, process, processes=1):
    try:
        with Connection.unix(folder / "s.sock") as connection:
            page = connection.request(path="/a").body.decode()
            assert re.search("<th>PATH_INFO</th><td>/a</td>", page)
        # A process that is told to end while it starts has not loaded the application yet.
        deadline = time.monotonic() + 60
        while (folder / "iiswsgi.log").read_text().count(" serving ") < processes:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "iiswsgi.log").read_text()
            time.sleep(0.01)
    finally:
        process.terminate()
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr


def test_every_option_of_serve_is_a_setting():
    names = re.findall(r"(\w+)=", iiswsgi.serve.__text_signature__)
    assert set(names) == set(paste.SETTINGS)


def test_settings_are_read_from_text():
    settings = {
        "unix-mode": "660",
        "threads": " 4 ",
        "max_body": "30M",
        "buffer-body": "64kb",
        "log_max_size": "0",
        "log_json": "true",
        "reload": "No",
        "idle_timeout": "0.5",
        "python_path": "one\n  two" + os.pathsep + "three\n",
        "tcp": "",
        "log_file": "C:\\logs\\my site.log",
    }
    assert paste._options(settings) == {
        "unix_mode": 0o660,
        "threads": 4,
        "max_body": 30 << 20,
        "buffer_body": 64 << 10,
        "log_max_size": 0,
        "log_json": True,
        "reload": False,
        "idle_timeout": 0.5,
        "python_path": ["one", "two", "three"],
        "log_file": "C:\\logs\\my site.log",
    }


def test_all_faults_of_a_section_are_told_at_once():
    with pytest.raises(ValueError) as told:
        paste._options({"thread": "4", "threads": "many", "log-json": "maybe", "max_body": "1T", "unix_mode": "9"})
    for part in ["no setting 'thread'", "threads is 'many'", "log-json is 'maybe': write true or false", "max_body is '1T'", "unix_mode is '9'"]:
        assert part in str(told.value)


def test_every_setting_is_taken_by_serve(tmp_path):
    """One process with a value for each setting, but for those that exclude others."""
    settings = {
        "unix": str(tmp_path / "own.sock"),
        "unix_mode": "600",
        "unix_owner": "%d:%d" % (os.getuid(), os.getgid()),
        "threads": "2",
        "graceful_timeout": "5",
        "max_requests": "1",
        "max_requests_jitter": "0",
        "reload": "true",
        "reload_root": str(tmp_path),
        "reload_file": str(tmp_path / "touched"),
        "chdir": str(tmp_path),
        "python_path": str(tmp_path),
        "script_name": "/mounted",
        "log_file": str(tmp_path / "own.log"),
        "log_level": "debug",
        "log_json": "true",
        "log_max_size": "1M",
        "log_keep": "2",
        "access_log": str(tmp_path / "access.log"),
        "access_log_format": "json",
        "request_id_header": "X-Request-ID",
        "stderr_to_server": "true",
        "slow_request": "10",
        "ping_path": "/ping",
        "status_path": "/status",
        "buffer_body": "1K",
        "max_body": "1M",
        "max_connections": "10",
        "queue": "5",
        "request_timeout": "20",
        "header_timeout": "5",
        "idle_timeout": "5",
        "read_timeout": "5",
        "write_timeout": "5",
        "impersonate": "false",
    }
    assert set(paste.SETTINGS) - set(settings) == {"tcp", "processes"}
    lines = "".join("%s = %s\n" % item for item in settings.items())
    (tmp_path / "site.ini").write_text(INI + lines)
    code = "import sys; from paste.deploy import *; uri = 'config:' + sys.argv[1]; loadserver(uri)(loadapp(uri))"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "site.ini")], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not ((tmp_path / "own.log").exists() and '"serving"' in (tmp_path / "own.log").read_text()):
            assert process.poll() is None, process.stderr.read()
        with Connection.unix(tmp_path / "own.sock") as connection:
            assert b"<td>/mounted</td>" in connection.request(path="/mounted/x").body
        # It was the only request that it is for.
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    finally:
        process.kill()
    assert '"status":200' in (tmp_path / "access.log").read_text()


@pytest.mark.parametrize("section", ["own", "named"])
def test_pserve(tmp_path, section):
    """Pyramid's pserve with plaster, whose server is of the file, or of the command line."""
    pytest.importorskip("pyramid")
    pytest.importorskip("plaster_pastedeploy")
    pserve = shutil.which("pserve", path=sysconfig.get_path("scripts"))
    ini = INI if section == "own" else INI.replace("[server:main]", "[server:iis]")
    (tmp_path / "site.ini").write_text(ini)
    options = [] if section == "own" else ["--server-name", "iis"]
    check(tmp_path, serve(tmp_path, pserve, "site.ini", *options))


def paster():
    pytest.importorskip("paste.script")
    return shutil.which("paster", path=sysconfig.get_path("scripts"))


def test_paster_with_a_general_file(tmp_path):
    """The command line that iiswsgi 0.3's description gives."""
    (tmp_path / "app.ini").write_text("[app:main]\nuse = egg:iiswsgi#test_app\n")
    check(tmp_path, serve(tmp_path, paster(), "serve", "-s", "egg:iiswsgi#iis", "app.ini"))


def test_paster_with_a_section_of_its_own(tmp_path):
    (tmp_path / "app.ini").write_text(INI.replace("[server:main]", "[server:iis]"))
    check(tmp_path, serve(tmp_path, paster(), "serve", "--server-name", "iis", "app.ini"))


@pytest.mark.parametrize("fault", ["application", "setting", "level"])
def test_the_log_is_there_before_anything_fails(tmp_path, fault):
    """IIS swallows standard error."""
    pytest.importorskip("pyramid")
    pserve = shutil.which("pserve", path=sysconfig.get_path("scripts"))
    ini, message = {
        "application": (INI.replace("#test_app", "#no_such_app"), "no_such_app"),
        "setting": (INI + "thread = 4\n", "there is no setting 'thread'"),
        "level": (INI + "log_level = fcgi_gateway=loud\n", "fcgi_gateway=loud"),
    }[fault]
    (tmp_path / "site.ini").write_text(ini)
    process = serve(tmp_path, pserve, "site.ini")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    log = (tmp_path / "iiswsgi.log").read_text()
    assert "Traceback" in log and message in log
    assert message in stderr.decode()


def test_several_processes_load_the_application_from_the_file(tmp_path):
    (tmp_path / "site.ini").write_text(INI + "processes = 2\nstatus_path = /status\n")
    code = "import sys; from paste.deploy import *; uri = 'config:' + sys.argv[1]; loadserver(uri)(loadapp(uri))"
    process = serve(tmp_path, sys.executable, "-c", code, str(tmp_path / "site.ini"))
    check(tmp_path, process, processes=2)
