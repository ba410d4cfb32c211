"""`iiswsgi msdeploy test`: one request through an application in this Python."""

import json
import shutil
import subprocess
import sys

import pytest

APPLICATION = '''
import sys

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise LookupError("on demand")
    if path == "/raises_late":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return late()
    if path == "/errors":
        environ["wsgi.errors"].write("noted by the application\\n")
    status = {"/missing": "404 Not Found", "/broken": "503 Service Unavailable"}.get(path, "200 OK")
    body = environ["wsgi.input"].read()
    start_response(status, [("Content-Type", "text/plain"), ("X-Method", environ["REQUEST_METHOD"])])
    return [repr((environ["QUERY_STRING"], environ.get("HTTP_X_NAME"), environ.get("CONTENT_TYPE"), body)).encode()]

def late():
    yield b"begun"
    raise LookupError("too late")

def factory():
    return application

sys.stderr.write("loaded\\n")
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "site_app.py").write_text(APPLICATION)
    return tmp_path


def iiswsgi(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "iiswsgi", *arguments], capture_output=True, text=True, timeout=60, **options)


def trial(folder, *arguments):
    return iiswsgi("msdeploy", "test", str(folder), *arguments)


def test_an_application_that_works(folder):
    shown = trial(folder, "--app", "site_app:application")
    assert (shown.returncode, shown.stdout) == (0, "GET /: 200 OK\n"), shown.stderr
    shown = trial(folder, "--app", "site_app:factory()", "--path", "/missing?a=b", "--show")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == "GET /missing?a=b: 404 Not Found\n"
    assert "X-Method: GET" in shown.stderr and "('a=b', None, None, b'')" in shown.stderr


def test_the_request_is_as_it_was_asked_for(folder):
    (folder / "body").write_bytes(b"\0body")
    options = ["--body", str(folder / "body"), "--header", "X-Name: value", "--header", "Content-Type: text/x", "--status", "200"]
    for method, arguments in [("POST", []), ("PUT", ["--method", "PUT"])]:
        shown = iiswsgi("--format", "json", "msdeploy", "test", str(folder), "--app", "site_app:application", *options, *arguments)
        report = json.loads(shown.stdout)
        assert shown.returncode == 0 and report["passed"] is True, shown.stderr
        assert report["body"] == repr(("", "value", "text/x", b"\0body"))
        assert ["X-Method", method] in report["headers"]


@pytest.mark.parametrize(
    "path, options, messages",
    [
        ("/raises", [], ["Traceback", "LookupError: on demand"]),
        ("/raises_late", [], ["Traceback", "LookupError: too late"]),
        ("/broken", [], ["503 Service Unavailable, not a status below 500"]),
        ("/", ["--status", "302"], ["200 OK, not 302", "b''"]),
    ],
)
def test_an_application_that_fails(folder, path, options, messages):
    failed = trial(folder, "--app", "site_app:application", "--path", path, *options)
    assert failed.returncode == 1 and failed.stdout == ""
    for message in messages:
        assert message in failed.stderr
    report = iiswsgi("--format", "json", "msdeploy", "test", str(folder), "--app", "site_app:application", "--path", path, *options)
    assert report.returncode == 1 and json.loads(report.stdout)["passed"] is False


def test_what_the_application_says_is_shown(folder):
    shown = trial(folder, "--app", "site_app:application", "--path", "/errors")
    assert shown.returncode == 0 and "noted by the application" in shown.stderr


@pytest.mark.parametrize(
    "app, message",
    [
        ("no_such_module:app", "there is no module `no_such_module`"),
        ("site_app:no_such_name", "has no `no_such_name`"),
        ("site_app:APPLICATION", "has no `APPLICATION`"),
        ("site_app.sys.path", "which cannot be called"),
    ],
)
def test_an_application_that_cannot_be_loaded(folder, app, message):
    failed = trial(folder, "--app", app)
    assert failed.returncode == 1 and message in failed.stderr


def test_the_application_is_found(folder):
    failed = trial(folder)
    assert failed.returncode == 1 and "it is not said what the application" in failed.stderr
    # The only INI file, as long as there is no other.
    pytest.importorskip("paste.deploy")
    (folder / "site.ini").write_text("[app:main]\nuse = egg:iiswsgi#test_app\n")
    (folder / "logging.ini").write_text("[loggers]\nkeys = root\n")
    assert trial(folder).returncode == 0
    (folder / "other.ini").write_text("[app:main]\nuse = egg:no_such_distribution\n")
    failed = trial(folder)
    assert failed.returncode == 1 and "other.ini, site.ini" in failed.stderr
    assert trial(folder, "--config", "site.ini").returncode == 0
    assert "no_such_distribution" in trial(folder, "--config", "other.ini").stderr
    # What IIS starts.
    (folder / "web.config").write_text(
        "<configuration><system.webServer><handlers>"
        '<add name="x" path="*" verb="*" modules="FastCgiModule" scriptProcessor="python.exe|-m iiswsgi serve site_app:application" />'
        "</handlers></system.webServer></configuration>"
    )
    assert trial(folder).returncode == 0
    # What the project says.
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n[tool.iiswsgi]\napplication = 'site_app:no_such_name'\n")
    assert "has no `no_such_name`" in trial(folder).stderr


def test_the_applications_own_python_is_taken(folder, tmp_path_factory):
    """A virtual environment in the folder runs it; one without the wheel is told apart."""
    if sys.platform == "win32":
        pytest.skip("the environment is made of a shell script")
    programs = folder / "env" / "bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text('#!/bin/sh\necho "own Python" >> "%s"\nexec "%s" "$@"\n' % (folder / "started", sys.executable))
    python.chmod(0o755)
    shown = trial(folder, "--app", "site_app:application", "--path", "/errors")
    assert shown.returncode == 0 and shown.stdout == "GET /errors: 200 OK\n", shown.stderr
    assert (folder / "started").read_text().startswith("own Python")
    assert "noted by the application" in shown.stderr
    failed = trial(folder, "--app", "site_app:application", "--path", "/raises")
    assert failed.returncode == 1 and "LookupError: on demand" in failed.stderr
    python.write_text("#!/bin/sh\nexit 1\n")
    failed = trial(folder, "--app", "site_app:application")
    assert failed.returncode == 1 and "has no iiswsgi" in failed.stderr
    shutil.rmtree(folder / "env")
