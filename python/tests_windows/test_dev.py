"""`iiswsgi dev`, the stand-in for IIS: with Microsoft's own wfastcgi behind it, which proves the stand-in, and with our gateway."""

import concurrent.futures
import ctypes
import hashlib
import http.client
import os
import pathlib
import sys
import time
from ctypes import wintypes
from xml.sax.saxutils import quoteattr

import pytest
from windows import DevServer, succeed

KINDS = [pytest.param([], id="synchronous"), pytest.param(["--overlapped-pipe"], id="overlapped")]

APPLICATION = r"""
import atexit
import hashlib
import os
import pathlib
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).parent


def wait_for(name):
    while not (FOLDER / name).exists():
        time.sleep(0.01)


def meet(environ):
    (FOLDER / environ["QUERY_STRING"]).touch()
    wait_for("one")
    wait_for("two")
    return str(os.getpid())


def child(environ):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return "%d %d" % (os.getpid(), process.pid)


def hang_at_exit(environ):
    atexit.register(time.sleep, 600)
    return str(os.getpid())


def slow(environ):
    time.sleep(0.2)
    return str(os.getpid())


def escaped(environ):
    from markupsafe import _speedups, escape

    assert _speedups.__file__.endswith(".pyd")
    return str(escape("<&>"))


PAGES = {
    "/escaped": escaped,
    "/pid": lambda environ: str(os.getpid()),
    "/digest": lambda environ: hashlib.sha1(environ["wsgi.input"].read()).hexdigest(),
    "/long": lambda environ: "0123456789abcdef" * (5 << 16),
    "/names": lambda environ: "%s|%s" % (environ["SCRIPT_NAME"], environ["PATH_INFO"].encode("latin-1").decode()),
    "/meet": meet,
    "/child": child,
    "/hang-at-exit": hang_at_exit,
    "/slow": slow,
}


def stream():
    yield b"first "
    wait_for("go")
    yield b"second"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return stream()
    page = PAGES.get(path, PAGES["/names"])
    return [page(environ).encode()]
"""

GATEWAY = "-m iiswsgi serve app:application --chdir \"{site}\""


def element(tag, *children, **attributes):
    words = " ".join(f"{key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{tag} {words}>{''.join(children)}</{tag}>"


class Dev(DevServer):
    """One that serves a site root of one application."""

    def __init__(self, folder, arguments=GATEWAY, application=APPLICATION, options=(), **attributes):
        self.site = folder / "site"
        self.site.mkdir()
        (self.site / "app.py").write_text(application)
        arguments = arguments.format(site=self.site)
        settings = {"maxInstances": 1, "instanceMaxRequests": 100000, "signalBeforeTerminateSeconds": 20, **attributes}
        variables = {"WSGI_HANDLER": "app.application", "PYTHONPATH": self.site, "WSGI_LOG": folder / "wsgi.log"}
        variables = [element("environmentVariable", name=name, value=value) for name, value in variables.items()]
        variables = element("environmentVariables", *variables)
        directory = element("virtualDirectory", path="/", physicalPath=self.site)
        binding = element("binding", protocol="http", bindingInformation="*:80:")
        site = element("site", element("application", directory, path="/"), element("bindings", binding), name="site", id=1)
        program = element("application", variables, fullPath=sys.executable, arguments=arguments, **settings)
        policy = element("handlers", accessPolicy="Read, Script")
        server = element("system.webServer", element("fastCgi", program), policy)
        host = element("configuration", element("system.applicationHost", element("sites", site)), server)
        (folder / "applicationHost.config").write_text(host, encoding="utf-8")
        handler = {"path": "*", "verb": "*", "modules": "FastCgiModule", "resourceType": "Unspecified"}
        handler = element("add", name="python", scriptProcessor=f"{sys.executable}|{arguments}", **handler)
        config = element("configuration", element("system.webServer", element("handlers", handler)))
        (self.site / "web.config").write_text(config, encoding="utf-8")
        super().__init__(folder, *options)

    def pid(self):
        return int(self.get("/pid"))


class Watched:
    """A process of Windows whose end is waited for."""

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.OpenProcess.restype = wintypes.HANDLE
    kernel32.WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
    SYNCHRONIZE = 0x100000

    def __init__(self, pid):
        self.handle = self.kernel32.OpenProcess(self.SYNCHRONIZE, False, int(pid))
        assert self.handle, ctypes.get_last_error()

    def has_ended(self, milliseconds):
        return self.kernel32.WaitForSingleObject(self.handle, milliseconds) == 0


@pytest.fixture
def dev(tmp_path):
    started = []

    def dev(**settings):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Dev(folder, **settings))
        return started[-1]

    yield dev
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def wfastcgi(tmp_path_factory):
    """Microsoft's wfastcgi 3.0.0, as it is published."""
    folder = tmp_path_factory.mktemp("wfastcgi")
    succeed(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, "wfastcgi==3.0.0")
    return folder / "wfastcgi.py"


def check(server):
    first = server.pid()
    # IIS gives the path decoded, in UTF-8.
    assert server.get("/caf%C3%A9/x").endswith("|/café/x")
    body = bytes(range(256)) * 4096
    assert server.get("/digest", body) == hashlib.sha1(body).hexdigest()
    assert server.get("/escaped") == "&lt;&amp;&gt;"
    assert server.get("/long") == "0123456789abcdef" * (5 << 16)
    assert [server.pid() for _ in range(20)] == [first] * 20


@pytest.mark.parametrize("options", KINDS)
def test_microsofts_wfastcgi_works_behind_it_unchanged(dev, wfastcgi, options):
    check(dev(arguments=f'"{wfastcgi}"', options=options))


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("arguments", ["-m iiswsgi wfastcgi", GATEWAY], ids=["wfastcgi", "serve"])
def test_the_gateway_takes_its_place_by_another_command_line(dev, arguments, options):
    check(dev(arguments=arguments, options=options))


@pytest.mark.parametrize("options", KINDS)
def test_a_thousand_requests_on_one_pipe(dev, options):
    server = dev(options=options)
    connection = http.client.HTTPConnection(server.address, timeout=120)
    pids = set()
    for _ in range(1000):
        connection.request("GET", "/pid")
        pids.add(connection.getresponse().read())
    assert len(pids) == 1


@pytest.mark.parametrize("options", KINDS)
def test_what_is_sent_first_arrives_first(dev, options):
    server = dev(options=options)
    response = server.request("/stream")
    assert response.read(6) == b"first "
    (server.site / "go").touch()
    assert response.read() == b"second"


def test_processes_are_recycled_after_instance_max_requests(dev):
    server = dev(instanceMaxRequests=3)
    pids = [server.pid() for _ in range(9)]
    assert len(set(pids)) == 3 and pids == sorted(pids, key=pids.index), pids


def test_as_many_processes_as_max_instances(dev):
    server = dev(maxInstances=2)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        one, two = pool.map(server.get, ["/meet?one", "/meet?two"])
    assert one != two


@pytest.mark.parametrize("options", KINDS)
def test_a_changed_file_recycles_processes_under_load_and_no_request_is_lost(dev, options):
    monitored = "monitored %s.txt" % os.getpid()
    # A relative path counts from the program's folder.
    path = pathlib.Path(sys.executable).parent / monitored
    path.write_text("1")
    try:
        server = dev(maxInstances=2, monitorChangesTo=monitored, options=options)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pages = []
            for change in range(3):
                batch = [pool.submit(server.get, "/slow") for _ in range(12)]
                batch[0].result()
                path.write_text("changed" * (change + 2))
                pages += [request.result() for request in batch]
        assert len(set(pages)) > 2, pages
    finally:
        path.unlink()


def test_a_process_that_hangs_in_its_shutdown_is_killed(dev):
    server = dev(instanceMaxRequests=1, signalBeforeTerminateSeconds=1)
    hanging = Watched(server.get("/hang-at-exit"))
    assert server.pid()
    assert hanging.has_ended(60_000)
    deadline = time.monotonic() + 60
    while "did not end within 1 s of the signal and is killed" not in server.logs():
        assert time.monotonic() < deadline, server.logs()


def test_an_application_that_cannot_start_fails_rapidly(dev):
    server = dev(application="raise SystemExit(3)", rapidFailsPerMinute=2)
    statuses = []
    for _ in range(4):
        response = server.request("/")
        response.read()
        statuses.append(response.status)
    assert statuses[-1] == 503 and all(status >= 500 for status in statuses), statuses


def test_killing_it_leaves_no_process(dev):
    server = dev()
    processes = [Watched(pid) for pid in server.get("/child").split()]
    assert not any(process.has_ended(0) for process in processes)
    server.process.kill()
    assert all(process.has_ended(60_000) for process in processes)


def test_one_request_by_hand(dev):
    server = dev()
    shown = succeed(sys.executable, "-m", "iiswsgi", "dev", server.folder, "--once", "/once")
    assert shown.startswith("200\n") and "\n|/once\n" in shown, shown
