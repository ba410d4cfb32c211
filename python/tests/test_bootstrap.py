"""`iiswsgi_install`: which application it finds, what it runs there, and what it says of it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

PYPROJECT = """
[project]
name = "%s"
version = "1.0"
dependencies = []

[tool.iiswsgi]
application = "site_app:application"
before-install = %s
"""

WEB_CONFIG = """<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <system.webServer>
    <handlers>
      <add name="app" path="*" verb="*" modules="FastCgiModule" scriptProcessor="%PYTHON_EXE%|-u -m iiswsgi serve site_app:application --chdir &quot;%APPL_PHYSICAL_PATH%&quot;" />
    </handlers>
    <fastCgi>
      <application fullPath="%PYTHON_EXE%" arguments="-u -m iiswsgi serve site_app:application --chdir &quot;%APPL_PHYSICAL_PATH%&quot;" />
    </fastCgi>
  </system.webServer>
</configuration>
"""

APPLICATION = """
def application(environ, start_response):
    start_response("%s", [("Content-Type", "text/plain")])
    return [b"fine"]
"""

SETUP_PY = """
import json, os, sys
known = {name: os.environ.get(name) for name in ["APPL_PHYSICAL_PATH", "IISWSGI_SITE_ROOT"]}
with open("called.json", "w") as file:
    json.dump({"argv": sys.argv[1:], "cwd": os.getcwd(), "python": sys.executable, **known}, file)
if "fail" in sys.argv:
    os.remove("iis_install.stamp")
    sys.exit("it fails on demand")
"""


class Sites:
    """A folder that stands for an IIS, with applications."""

    def __init__(self, folder):
        self.folder = folder
        self.sites = []

    def add(self, name, path="/", stamp=True, commands="[]", status="200 OK"):
        """An application, unpacked: the last is the newest."""
        folder = self.folder / ("%s%s" % (name, path)).strip("/")
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PYPROJECT % ("project-of-%s" % name.lower(), commands))
        (folder / "web.config.in").write_text(WEB_CONFIG)
        (folder / "site_app.py").write_text(APPLICATION % status)
        if stamp:
            (folder / "iis_install.stamp").write_text("stamp")
        self.sites.append((name, path, folder))
        self.register()
        return folder

    def register(self):
        sites = "".join(
            '<site name="%s" id="%d"><application path="/"><virtualDirectory path="/" physicalPath="%s" /></application>%s'
            '<bindings><binding protocol="http" bindingInformation="*:80:%d.example.org" /></bindings></site>'
            % (name, number, self.root_of(path, folder), self.application(path, folder), number)
            for number, (name, path, folder) in enumerate(self.sites, 1)
        )
        (self.folder / "applicationHost.config").write_text(
            "<configuration><system.applicationHost><sites>%s</sites></system.applicationHost><system.webServer /></configuration>" % sites
        )

    def root_of(self, path, folder):
        return folder if path == "/" else folder.parent

    def application(self, path, folder):
        if path == "/":
            return ""
        return '<application path="%s"><virtualDirectory path="/" physicalPath="%s" /></application>' % (path, folder)

    def install(self, *arguments, site_root=True, code=0, cwd="/", **variables):
        done = self.start(*arguments, site_root=site_root, cwd=cwd, **variables)
        stdout, stderr = done.communicate(timeout=300)
        assert done.returncode == code, stderr
        assert "Traceback" not in stderr or "application" in stderr
        return stdout.strip(), stderr

    def start(self, *arguments, site_root=True, cwd="/", **variables):
        script = shutil.which("iiswsgi_install", path=sysconfig.get_path("scripts"))
        environment = {name: value for name, value in os.environ.items() if name not in ("APPL_PHYSICAL_PATH", "IISWSGI_SITE_ROOT", "IISWSGI_STRICT")}
        # Nothing has to be downloaded: the wheel is there.
        environment.update(variables, PIP_NO_INDEX="1")
        options = ["--site-root", str(self.folder)] if site_root else []
        return subprocess.Popen([script, *options, *arguments], cwd=str(cwd), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def sites(tmp_path):
    return Sites(tmp_path)


def stamped(folder):
    return (folder / "iis_install.stamp").exists()


def called(folder):
    return json.loads((folder / "called.json").read_text())


def test_the_newest_application_with_a_stamp_is_installed(sites):
    old, new, done = sites.add("Old"), sites.add("New"), sites.add("Done", stamp=False)
    stdout, stderr = sites.install()
    assert stdout == str(new)
    assert "APPL_PHYSICAL_PATH is not set: looking through the 3 folder(s)" in stderr
    assert "`%s`: it has a `iis_install.stamp`" % new in stderr
    assert "%s has a `iis_install.stamp` too" % old in stderr
    assert "tested `site_app:application`: 200 OK" in stderr
    assert stamped(old) and not stamped(new)
    assert (new / "web.config").exists() and not (done / "web.config").exists()
    # The next one is the other's.
    assert sites.install()[0] == str(old)
    _, stderr = sites.install(code=1)
    assert "no application in" in stderr and "--ignore-stamp" in stderr
    _, stderr = sites.install("-v", code=1)
    assert "`%s` has no `iis_install.stamp`" % new in stderr


@pytest.mark.parametrize("name", ["Shop", "shop", "api", "Shop2"])
def test_a_name_narrows_the_search(sites, name):
    wanted = sites.add("Shop2", "/api")
    other = sites.add("Other")
    stdout, stderr = sites.install("-a", name)
    assert stdout == str(wanted) and "it is `%s`, and has a" % name in stderr
    assert stamped(other)
    assert "named `nothing`" in sites.install("--app-name", "nothing", code=1)[1]


def test_the_stamp_can_be_ignored(sites):
    first, second = sites.add("First", stamp=False), sites.add("Second", stamp=False)
    assert "no application" in sites.install(code=1)[1]
    stdout, stderr = sites.install("-i")
    assert stdout == str(second) and "no `iis_install.stamp` is asked for" in stderr
    assert sites.install("-i", "-a", "First")[0] == str(first)


def test_a_variable_names_the_application(sites):
    old, new = sites.add("Old", stamp=False), sites.add("New")
    stdout, stderr = sites.install(APPL_PHYSICAL_PATH=str(old))
    assert stdout == str(old) and "APPL_PHYSICAL_PATH names it" in stderr
    assert stamped(new)
    assert "which is not a folder" in sites.install(APPL_PHYSICAL_PATH=str(old / "missing"), code=1)[1]


def test_without_an_iis_the_folder_is_the_application(sites, tmp_path_factory):
    folder = sites.add("Lonely")
    (sites.folder / "applicationHost.config").unlink()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    _, stderr = sites.install(site_root=False, cwd=elsewhere, code=1)
    assert "the application to install is not known" in stderr and "APPL_PHYSICAL_PATH" in stderr
    # Each missing piece is a line, and one of the summary.
    _, stderr = sites.install("--strict", site_root=False, cwd=folder, code=1)
    assert "searching IIS's sites is not possible: there is no appcmd.exe" in stderr
    assert stamped(folder) and not (folder / "web.config").exists()
    stdout, stderr = sites.install(site_root=False, cwd=folder)
    assert stdout == str(folder)
    assert stderr.count("skipped: ") == 2
    assert "2 step(s) skipped:\n  - searching IIS's sites: " in stderr and "\n  - registering with IIS: " in stderr
    assert (folder / "applicationHost.config").exists()
    # An installation that needs no search is strict about its registration.
    (folder / "applicationHost.config").unlink()
    _, stderr = sites.install(site_root=False, APPL_PHYSICAL_PATH=str(folder), IISWSGI_STRICT="1", code=1)
    assert "registering with IIS is not possible" in stderr


def test_an_application_that_fails_is_not_installed(sites):
    folder = sites.add("Broken", status="500 Internal Server Error")
    before = (sites.folder / "applicationHost.config").read_text()
    _, stderr = sites.install(code=1)
    assert "`site_app:application` answers GET / with 500 Internal Server Error" in stderr
    assert not (folder / "web.config").exists() and stamped(folder)
    assert (sites.folder / "applicationHost.config").read_text() == before
    (folder / "site_app.py").write_text("1 / 0\n")
    _, stderr = sites.install(code=1)
    assert "Traceback" in stderr and "ZeroDivisionError" in stderr
    assert sites.install("--no-test")[0] == str(folder)
    assert not stamped(folder)


def test_commands_of_a_setup_py(sites):
    folder = sites.add("App")
    (folder / "setup.py").write_text(SETUP_PY)
    stdout, stderr = sites.install("-v", "develop", "install_msdeploy", "--option")
    assert stdout == str(folder) and "running `" in stderr
    found = called(folder)
    assert found["argv"] == ["-v", "develop", "install_msdeploy", "--option"]
    assert found["cwd"] == found["APPL_PHYSICAL_PATH"] == str(folder)
    assert found["IISWSGI_SITE_ROOT"] == str(sites.folder)
    assert found["python"] == sys.executable
    assert not stamped(folder) and not (folder / "web.config").exists()


def test_a_setup_py_with_an_installation_of_its_own_is_run(sites):
    folder = sites.add("App")
    (folder / "setup.py").write_text(SETUP_PY + "# cmdclass=dict(install_msdeploy=custom)\n")
    sites.install()
    assert called(folder)["argv"] == ["install_msdeploy", "test_msdeploy"]


def test_a_command_that_fails_leaves_the_stamp(sites):
    folder = sites.add("App")
    (folder / "setup.py").write_text(SETUP_PY)
    _, stderr = sites.install("fail", code=1)
    assert "it fails on demand" in stderr and "ended with exit code 1" in stderr
    assert (folder / "iis_install.stamp").read_text() == "stamp"


def test_commands_without_a_setup_py_are_iiswsgis(sites):
    folder = sites.add("App")
    stdout, stderr = sites.install("install_msdeploy", "--no-virtual-env", "test_msdeploy", "--status", "200")
    assert stdout == str(folder) and stderr.count("running `") == 2
    assert (folder / "web.config").exists() and not stamped(folder)
    stdout, stderr = sites.install("-i", "msdeploy", "test", "--status", "404", code=1)
    assert "200 OK, not 404" in stderr


def test_a_script_makes_the_virtual_environment(sites):
    """0.3 had a bootstrap script of virtualenv's in packages."""
    folder = sites.add("App")
    (folder / "setup.py").write_text(SETUP_PY)
    (folder / "make_env.py").write_text(
        "import os, sys, venv\n"
        "folder = sys.argv[-1]\n"
        "open('arguments.txt', 'w').write(' '.join(sys.argv[1:]))\n"
        "if os.path.exists('refuse'): sys.exit(0)\n"
        "venv.create(folder, with_pip=True)\n"
        "import sysconfig\n"
        "site = sysconfig.get_path('purelib', vars={'base': folder, 'platbase': folder})\n"
        # What is installed here is there too, so that nothing has to be downloaded.
        "open(os.path.join(site, 'here.pth'), 'w').write(%r)\n" % sysconfig.get_path("platlib")
    )
    (folder / "refuse").touch()
    _, stderr = sites.install("-e", "make_env.py", "-v", code=1)
    assert "`make_env.py` has made no virtual environment" in stderr
    (folder / "refuse").unlink()
    sites.install("-e", "make_env.py", "--", "check")
    assert (folder / "arguments.txt").read_text() == str(folder / "env")
    assert called(folder)["python"].startswith(str(folder / "env"))
    # What is no script is a command.
    (folder / "iis_install.stamp").touch()
    sites.install("-e", "check")
    assert called(folder)["argv"] == ["check"]


def test_two_installations_do_not_take_each_others_stamp(sites, tmp_path):
    """Both are in the middle of it at the same time, and neither was told which application is its own."""
    meet = tmp_path / "meet.py"
    meet.write_text(
        "import os, pathlib, sys, time\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "(here / ('%d.here' % os.getppid())).touch()\n"
        "deadline = time.monotonic() + 60\n"
        "while len(list(here.glob('*.here'))) < 2:\n"
        "    if time.monotonic() > deadline: sys.exit('the other one does not come')\n"
        "    time.sleep(0.01)\n"
        "open(pathlib.Path.cwd() / 'installed.txt', 'a').write('once ')\n"
    )
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    commands = json.dumps([["python", str(meet), str(rooms)]])
    folders = [sites.add("One", commands=commands), sites.add("Two", commands=commands)]
    processes = [sites.start() for _ in folders]
    outcomes = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outcomes
    assert sorted(stdout.strip() for stdout, _ in outcomes) == sorted(map(str, folders))
    for folder in folders:
        assert (folder / "installed.txt").read_text() == "once "
        assert (folder / "web.config").exists() and not stamped(folder)
    registered = (sites.folder / "applicationHost.config").read_text()
    assert registered.count("<application fullPath=") == 2


def test_an_installation_that_runs_is_not_run_a_second_time(sites, tmp_path):
    wait = tmp_path / "wait.py"
    wait.write_text("import pathlib, sys, time\npathlib.Path('begun').touch()\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\n")
    folder = sites.add("App", commands=json.dumps([["python", str(wait)]]))
    first = sites.start()
    while not (folder / "begun").exists():
        assert first.poll() is None, first.communicate()
    _, stderr = sites.install(code=1)
    assert "is being installed by another process" in stderr
    _, stderr = sites.install(APPL_PHYSICAL_PATH=str(folder), code=1)
    assert "another process is just installing" in stderr
    (folder / "go").touch()
    _, stderr = first.communicate(timeout=300)
    assert first.returncode == 0, stderr




def test_webpi_installs_for_iis_express(sites, tmp_path):
    """It says so by a variable: IIS Express's appcmd.exe is asked about its own configuration."""
    if sys.platform == "win32":
        pytest.skip("a shell script stands for appcmd.exe")
    folder = sites.add("App")
    config = tmp_path / "documents" / "config" / "applicationhost.config"
    config.parent.mkdir(parents=True)
    config.touch()
    appcmd = tmp_path / "programs" / "IIS Express" / "appcmd.exe"
    appcmd.parent.mkdir(parents=True)
    listed = (
        '<appcmd><SITE SITE.NAME="App" SITE.ID="1"><site name="App" id="1"><application path="/">'
        '<virtualDirectory path="/" physicalPath="%s" /></application></site></SITE></appcmd>' % folder
    )
    appcmd.write_text("#!/bin/sh\necho \"$@\" >> '%s'\ncase \"$*\" in *site*) echo '%s';; *) echo '<appcmd />';; esac\n" % (tmp_path / "asked", listed))
    appcmd.chmod(0o755)
    express = {"IIS_BIN": str(appcmd.parent), "ProgramFiles": str(tmp_path / "programs"), "IIS_USER_HOME": str(tmp_path / "documents")}
    (sites.folder / "applicationHost.config").unlink()
    stdout, stderr = sites.install(site_root=False, **express)
    assert stdout == str(folder) and "appcmd.exe /apphostconfig:%s`" % config in stderr
    asked = (tmp_path / "asked").read_text()
    assert "/apphostconfig:%s" % config in asked and "/+[fullPath=" in asked
    assert not stamped(folder)
