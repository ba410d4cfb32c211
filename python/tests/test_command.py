"""The command and the entry points that come with the wheel."""

import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import urllib.request

import pytest

from conftest import HERE
from fastcgi_client import Connection


def run(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "iiswsgi", *arguments], capture_output=True, text=True, timeout=60, **options)


def listen(path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


def test_versions_agree():
    import iiswsgi

    assert iiswsgi.__version__ == importlib.metadata.version("iiswsgi")
    assert run("--version").stdout == "iiswsgi %s\n" % iiswsgi.__version__


# Every console script of the wheel, and what it is a name for.
SCRIPTS = {
    "iiswsgi": "",
    "iiswsgi_install": "bootstrap ",
    "iiswsgi_webpi": "webpi start ",
    "wfastcgi-disable": "iis disable ",
    "wfastcgi-enable": "iis enable ",
}


def script(name):
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert path, "the wheel is not installed with its scripts"
    return path


@pytest.mark.parametrize("name", SCRIPTS)
def test_console_scripts(name):
    shown = subprocess.run([script(name), "--help"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0
    assert "Usage: iiswsgi %s[" % SCRIPTS[name] in shown.stdout


def test_iiswsgi_webpi_serves_the_feed_where_there_is_no_webpi(tmp_path):
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/app.webpi.xml").write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><version>1.0.0</version><title>Applications</title><id>urn:app</id></feed>'
    )
    windows = {"LOCALAPPDATA", "ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "IISWSGI_STRICT"}
    options = {
        "cwd": str(tmp_path),
        "env": {name: value for name, value in os.environ.items() if name not in windows},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    refused = subprocess.run([script("iiswsgi_webpi"), "--strict"], timeout=60, **options)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "LOCALAPPDATA is not set" in refused.stderr and "Traceback" not in refused.stderr
    process = subprocess.Popen([script("iiswsgi_webpi"), "--port", "0"], **options)
    try:
        address = re.match(r"page: (http://\S+)/\s", process.stdout.readline()).group(1)
        with urllib.request.urlopen(address + "/app.webpi.xml", timeout=60) as page:
            assert b"<title>Applications</title>" in page.read()
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert "there is no WebPlatformInstaller.exe on this machine" in said and "Traceback" not in said


def test_serve(tmp_path):
    listening = listen(tmp_path / "s.sock")
    command = ["serve", "applications:application", "--chdir", str(HERE), "--log-file", str(tmp_path / "l.log")]
    process = subprocess.Popen([sys.executable, "-m", "iiswsgi", *command], stdin=listening)
    try:
        with Connection.unix(tmp_path / "s.sock") as connection:
            assert connection.request(path="/ignores_body").body == b"ignored"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_serve_fails_aloud(tmp_path):
    log = tmp_path / "l.log"
    failed = run("serve", "no_such_module:app", "--log-file", str(log), stdin=listen(tmp_path / "s.sock"))
    assert failed.returncode == 1
    assert "there is no module `no_such_module`" in failed.stderr
    assert "there is no module `no_such_module`" in log.read_text()


def test_explain(tmp_path):
    explained = run("serve", "--explain", stdin=listen(tmp_path / "s.sock"))
    assert explained.returncode == 0
    assert "is a listening Unix socket" in explained.stdout
    one, other = socket.socketpair()
    assert "is a connected Unix stream" in run("serve", "--explain", stdin=one).stdout
    assert "not a socket" in run("serve", "--explain", stdin=subprocess.DEVNULL).stdout
    other.close()


def test_paste_deploy_finds_the_entry_points(tmp_path):
    pytest.importorskip("paste.deploy")
    from paste.deploy import loadapp, loadserver

    assert callable(loadserver("egg:iiswsgi#iis"))
    assert loadapp("egg:iiswsgi#test_app").__name__ == "test_app"
    (tmp_path / "site.ini").write_text("[server:main]\nuse = egg:iiswsgi#iis\nlog_file = %s\n[app:main]\nuse = egg:iiswsgi#test_app\n" % (tmp_path / "l.log"))
    code = "import sys; from paste.deploy import *; uri = 'config:' + sys.argv[1]; loadserver(uri)(loadapp(uri))"
    listening = listen(tmp_path / "s.sock")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "site.ini")], stdin=listening)
    try:
        with Connection.unix(tmp_path / "s.sock") as connection:
            page = connection.request(path="/a").body.decode()
            assert re.search("<th>PATH_INFO</th><td>/a</td>", page)
    finally:
        process.terminate()
        assert process.wait(30) == 0
