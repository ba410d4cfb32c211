"""A site that wfastcgi served, behind `iiswsgi wfastcgi` and `python -m iiswsgi.wfastcgi`."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import sysconfig
import time

import iiswsgi
import pytest

from fastcgi_client import Connection

APPLICATION = '''
import json, os, sys

print("the application is loaded")

def application(environ, start_response):
    if environ["PATH_INFO"] == "/raises":
        raise LookupError("on demand")
    shown = {name: value for name, value in environ.items() if isinstance(value, str)}
    shown["octets"] = {name: value.decode("latin-1") for name, value in environ.items() if isinstance(value, bytes)}
    shown["variables"] = dict(os.environ)
    shown["cwd"] = os.getcwd()
    shown["path"] = sys.path
    shown["version"] = environ["wsgi.version"]
    shown["multiprocess"] = environ["wsgi.multiprocess"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]

class Maker:
    @staticmethod
    def make():
        return application

    def nested(self):
        return self

def factory():
    return application

def maker():
    return Maker()
'''


def web_config(settings):
    lines = "".join('<add key="%s" value="%s" />\n' % (name, value.replace("&", "&amp;")) for name, value in settings.items())
    return "<?xml version='1.0'?>\n<configuration>\n<appSettings>\n%s</appSettings>\n</configuration>\n" % lines


class Site:
    """A folder with an application and a web.config, and the processes that serve it."""

    def __init__(self, folder, **settings):
        self.folder = folder / "my site"
        self.folder.mkdir()
        (self.folder / "site_app.py").write_text(APPLICATION)
        self.log_path = folder / "wsgi.log"
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.socket_path = folder / "s.sock"
        self.configure(WSGI_HANDLER="site_app.application", WSGI_LOG=str(self.log_path), **settings)
        self.processes = []

    def configure(self, **settings):
        (self.folder / "web.config").write_text(web_config(settings))

    def start(self, *arguments, command=("-m", "iiswsgi.wfastcgi"), env=None):
        self.socket_path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.socket_path))
        listening.listen()
        variables = {"TEMP": str(self.temp), **(env or {})}
        process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            stdin=listening,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            # As IIS does: not the site's folder.
            cwd="/",
        )
        listening.close()
        self.processes.append(process)
        return process

    def request(self, path="/", **params):
        params.setdefault("APPL_PHYSICAL_PATH", str(self.folder) + "/")
        with Connection.unix(self.socket_path) as connection:
            return connection.request(path=path, **params)

    def show(self, path="/", **params):
        response = self.request(path, **params)
        assert response.status.startswith("200"), (self.log, self.early_log)
        return json.loads(response.body)

    @property
    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    @property
    def early_log(self):
        path = self.temp / "iiswsgi.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.wait(30)
            process.stderr.close()


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path, MY_SETTING="from web.config", PYTHONPATH=r"%MY_ROOT%/one;%NOT_SET%/two;100%;", SCRIPT_NAME="")
    yield site
    site.stop()


@pytest.mark.parametrize(
    "command",
    [
        ("-u", "-m", "iiswsgi.wfastcgi"),
        ("-m", "iiswsgi", "wfastcgi"),
        (str(pathlib.Path(iiswsgi.__file__).with_name("wfastcgi.py")),),
    ],
    ids=["module", "command", "path"],
)
def test_the_first_request_names_the_site(site, command):
    site.start(command=command, env={"MY_ROOT": "/root folder"})
    shown = site.show("/a b", HTTP_HOST="example.org")
    assert shown["PATH_INFO"] == "/a b"
    assert shown["cwd"] == str(site.folder)
    assert shown["variables"]["MY_SETTING"] == "from web.config"
    assert shown["variables"]["WSGI_HANDLER"] == "site_app.application"
    # In front the site's folder, and at the end what the setting names.
    assert shown["path"][0] == str(site.folder)
    assert shown["path"][-3:] == ["/root folder/one", "/two", "100%"]
    assert str(pathlib.Path(iiswsgi.__file__).parent) not in shown["path"]
    assert shown["version"] == [1, 0] and shown["multiprocess"] is True
    # The log began elsewhere.
    assert "the first request says which site this is" in site.early_log
    assert "loaded" in site.log and "site_app.application" in site.log


def test_the_environ_has_what_wfastcgi_added(site):
    site.start()
    shown = site.show("/caf\u00e9", query="a=%20b", HTTP_X_ORIGINAL_URL="/caf%C3%A9?a=%20b")
    assert shown["octets"] == {
        "wsgi.script_name": "",
        "wsgi.path_info": "/caf\u00c3\u00a9",
        "wsgi.query_string": "a=%20b",
        "wfastcgi.http_x_original_url": "/caf%C3%A9?a=%20b",
    }
    # A header is the client's word: it replaces no path unless IIS says that the path was rewritten.
    rewritten = {"HTTP_X_ORIGINAL_URL": "/original?x", "REQUEST_URI": "/handler.fcgi/", "PATH_INFO": "/handler.fcgi/"}
    assert site.show("/handler.fcgi/", **rewritten)["PATH_INFO"] == "/handler.fcgi/"
    assert site.show("/handler.fcgi/", IIS_WasUrlRewritten="1", **rewritten)["PATH_INFO"] == "/original"


@pytest.mark.parametrize(
    "handler",
    ["site_app.application", "site_app.factory()", "site_app.Maker.make()", "site_app.Maker().nested().make()", "site_app.maker().make()", "package.module.application", "site_app:application"],
)
def test_every_form_of_handler(site, handler):
    package = site.folder / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text("from site_app import application\n")
    site.configure(WSGI_HANDLER=handler, WSGI_LOG=str(site.log_path))
    site.start()
    assert site.show()["PATH_INFO"] == "/"


@pytest.mark.parametrize(
    "handler, message",
    [
        ("", "add `<add key=\"WSGI_HANDLER\""),
        ("no_such_module.app", "there is no module `no_such_module`"),
        ("site_app.no_such_name", "has no `no_such_name`"),
        ("site_app.Maker.no_such_name()", "has no `Maker.no_such_name`"),
        ("site_app.no_such_module.app", "there is no module `site_app.no_such_module`"),
        ("broken.app", "ZeroDivisionError"),
        ("site_app.sys.path", "which cannot be called"),
        ("make().app", "does not begin with a module"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_tried_again(site, handler, message):
    (site.folder / "broken.py").write_text("1 / 0\n")
    site.configure(WSGI_HANDLER=handler, WSGI_LOG=str(site.log_path), WSGI_RESTART_FILE_REGEX="")
    site.start()
    response = site.request()
    assert response.status == "500 Internal Server Error"
    assert message in site.log and message.encode() not in response.body
    site.configure(WSGI_HANDLER="site_app.application", WSGI_LOG=str(site.log_path))
    assert site.show()["PATH_INFO"] == "/"


def test_a_web_config_that_cannot_be_read_is_told(site):
    (site.folder / "web.config").write_text("<configuration>\n<appSettings>\n<add key='WSGI_HANDLER' value='&none;' />\n")
    site.start()
    assert site.request().status == "500 Internal Server Error"
    assert "web.config:3:" in site.early_log


def test_the_folder_may_be_known_before(site):
    """A variable or an option names it, and the application is loaded before the first request."""
    for arguments, env in [((), {"APPL_PHYSICAL_PATH": str(site.folder)}), (("--chdir", str(site.folder)), {})]:
        site.start(*arguments, env=env)
        # Whatever a request says, then.
        assert site.show(APPL_PHYSICAL_PATH="/elsewhere")["cwd"] == str(site.folder)
        site.stop()
    process = site.start("--chdir", str(site.folder / "missing"))
    assert process.wait(30) == 1
    assert "missing" in process.stderr.read().decode()


def test_on_a_socket_of_its_own_no_request_names_the_site(site):
    process = site.start("--unix", str(site.folder.parent / "own.sock"))
    assert process.wait(30) == 1
    assert "does not take a request's word for it; name the folder with `--chdir`" in process.stderr.read().decode()


def test_a_variable_serves_as_well_as_a_setting(site):
    (site.folder / "web.config").unlink()
    site.start(env={"WSGI_HANDLER": "site_app.factory()", "WSGI_LOG": str(site.log_path), "MY_SETTING": "x"})
    assert site.show()["variables"]["MY_SETTING"] == "x"
    assert site.early_log == ""


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({}, ("", "/Mounted/x")),
        ({"SCRIPT_NAME": "/mounted"}, ("/Mounted", "/x")),
        ({"AllowPathInfoForScriptMappings": "1"}, ("/Mounted", "/x")),
        ({"AllowPathInfoForScriptMappings": ""}, ("/Mounted", "/x")),
        ({"SCRIPT_NAME": "/other"}, ("", "/Mounted/x")),
    ],
)
def test_an_application_below_a_site(site, settings, expected):
    site.configure(WSGI_HANDLER="site_app.application", WSGI_LOG=str(site.log_path), **settings)
    site.start()
    sent = {"APPL_MD_PATH": "/LM/W3SVC/1/ROOT/Mounted", "SCRIPT_NAME": "/Mounted/x", "REQUEST_URI": "/Mounted/x"}
    shown = site.show("/Mounted/x", **sent)
    assert (shown["SCRIPT_NAME"], shown["PATH_INFO"]) == expected
    assert shown["octets"]["wsgi.path_info"] == expected[1]


def test_another_sites_request_is_refused(site):
    site.start()
    assert site.show()["cwd"] == str(site.folder)
    # The same folder in another spelling.
    assert site.request(APPL_PHYSICAL_PATH=str(site.folder).upper()).status == "200 OK"
    assert site.request(APPL_PHYSICAL_PATH=str(site.folder) + "2").status == "500 Internal Server Error"
    assert "the request is for" in site.log


def test_what_is_not_supported_is_told_in_a_line(site):
    site.configure(
        WSGI_HANDLER="site_app.application",
        WSGI_LOG=str(site.log_path),
        WSGI_PTVSD_SECRET="a secret",
        WSGI_PTVSD_ADDRESS="localhost:5678",
        APPINSIGHTS_INSTRUMENTATIONKEY="a key",
    )
    site.start()
    site.show()
    warnings = [line for line in site.log.splitlines() if " WARN " in line]
    assert len(warnings) == 3
    for name, instead in [("WSGI_PTVSD_SECRET", "debugpy"), ("WSGI_PTVSD_ADDRESS", "debugpy"), ("APPINSIGHTS_INSTRUMENTATIONKEY", "opentelemetry")]:
        assert any(name in line and instead in line for line in warnings)
    assert "a secret" not in site.log and "a key" not in site.log


def changes(site, name):
    """Whether the process ends when a file changes; it is given time to notice another one that is watched."""
    process = site.processes[-1]
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        # Each write is a change of its own: the first may come before the files were looked at.
        (site.folder / name).write_text("# %s" % time.monotonic_ns())
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            pass
    return process.poll()


@pytest.mark.parametrize("settings, name", [({}, "other.py"), ({"WSGI_RESTART_FILE_REGEX": r".*\.txt$"}, "other.txt")], ids=["default", "pattern"])
def test_files_are_watched(site, settings, name):
    site.configure(WSGI_HANDLER="site_app.application", WSGI_LOG=str(site.log_path), **settings)
    site.start()
    site.show()
    assert changes(site, name) == 0
    assert "changed: " in site.log and name in site.log


def test_files_are_not_watched_where_the_setting_is_empty_or_not_ours(site):
    for pattern in ["", "(?=x)"]:
        site.configure(WSGI_HANDLER="site_app.application", WSGI_LOG=str(site.log_path), WSGI_RESTART_FILE_REGEX=pattern)
        site.start()
        site.show()
        threads = pathlib.Path("/proc/%d/task" % site.processes[-1].pid)
        names = [(thread / "comm").read_text().strip() for thread in threads.iterdir()]
        assert "reload" not in names
        site.stop()
    assert "files are not watched" in site.log


def test_django_is_set_up(site):
    """Both of the handlers that wfastcgi's users have; a package of this name stands for Django."""
    core = site.folder / "django" / "core"
    (core / "handlers").mkdir(parents=True)
    for package in [site.folder / "django", core, core / "handlers"]:
        (package / "__init__.py").touch()
    (core / "wsgi.py").write_text("import os, site_app\ndef get_wsgi_application():\n    os.environ['SET_UP'] = os.environ['DJANGO_SETTINGS_MODULE']\n    return site_app.application\n")
    (core / "handlers" / "wsgi.py").write_text("def WSGIHandler():\n    raise LookupError('Apps are not loaded yet')\n")
    for handler in ["django.core.wsgi.get_wsgi_application()", "django.core.handlers.wsgi.WSGIHandler()"]:
        site.configure(WSGI_HANDLER=handler, DJANGO_SETTINGS_MODULE="mysite.settings", WSGI_LOG=str(site.log_path))
        site.start()
        assert site.show()["variables"]["SET_UP"] == "mysite.settings"
        site.stop()


def test_requests_at_once_load_it_once(site):
    (site.folder / "slow_app.py").write_text(
        "import time\nfrom site_app import application\nopen('loaded.txt', 'a').write('once ')\ntime.sleep(0.5)\n"
    )
    site.configure(WSGI_HANDLER="slow_app.application", WSGI_LOG=str(site.log_path))
    site.start("--threads", "4")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda number: site.show("/%d" % number), range(4)))
    assert [page["PATH_INFO"] for page in shown] == ["/0", "/1", "/2", "/3"]
    assert (site.folder / "loaded.txt").read_text() == "once "


def test_workers_of_a_supervisor(site):
    site.start("--processes", "2", "--chdir", str(site.folder))
    assert site.show()["cwd"] == str(site.folder)


@pytest.mark.parametrize("script, command", [("wfastcgi-enable", "enable"), ("wfastcgi-disable", "disable")])
def test_the_scripts_register(tmp_path, script, command):
    path = shutil.which(script, path=sysconfig.get_path("scripts"))
    assert path, "the wheel is not installed with its scripts"
    config = tmp_path / "applicationHost.config"
    before = "<configuration>\n  <system.webServer>\n    <fastCgi />\n  </system.webServer>\n</configuration>\n"
    config.write_text(before)
    enable = path.replace("disable", "enable")
    done = subprocess.run([enable, "/apphostconfig:%s" % config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    text = config.read_text()
    assert 'fullPath="%s"' % sys.executable in text and 'arguments="-u -m iiswsgi.wfastcgi"' in text
    assert 'signalBeforeTerminateSeconds="30"' in text
    if command == "disable":
        done = subprocess.run([path, "--config", str(config)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "iiswsgi" not in config.read_text()


def test_the_scripts_take_an_appcmd(tmp_path):
    """As for IIS Express: its appcmd.exe, and the configuration that it is to work on."""
    if sys.platform == "win32":
        pytest.skip("a shell script stands for appcmd.exe")
    appcmd = tmp_path / "appcmd.exe"
    appcmd.write_text("#!/bin/sh\necho \"$@\" >> '%s'\necho '<appcmd />'\n" % (tmp_path / "asked"))
    appcmd.chmod(0o755)
    path = shutil.which("wfastcgi-enable", path=sysconfig.get_path("scripts"))
    done = subprocess.run([path, str(appcmd), '/apphostconfig:"C:\\my.config"'], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text()
    assert "/apphostconfig:C:\\my.config" in asked
    assert "arguments='-u -m iiswsgi.wfastcgi'" in asked


def test_without_iis_there_is_one_message(tmp_path):
    path = shutil.which("wfastcgi-enable", path=sysconfig.get_path("scripts"))
    environment = {name: value for name, value in os.environ.items() if name.upper() not in ("WINDIR", "IIS_USER_HOME", "USERPROFILE")}
    done = subprocess.run([path], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 1
    assert "neither IIS nor a configuration of IIS Express" in done.stderr and "Traceback" not in done.stderr
