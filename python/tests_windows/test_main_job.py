"""The main job in Windows' own CPython: a project becomes a package and a feed, and is installed from the feed."""

import json
import re
import shutil

import pytest
from windows import EXAMPLES, DevServer, iiswsgi, package, succeed

# Spaces, an apostrophe, and letters of more than one code page.
FOLDERS = ["plain", "Jürgen's projects 日本"]


def answer(application, path="/"):
    """What the installed application answers."""
    text = iiswsgi("msdeploy", "test", application, "--path", path, "--show", "--format", "json")
    answer = json.loads(text)
    assert answer["status"] == "200 OK", answer
    return answer["body"]


def served(application):
    """What the stand-in for IIS shows of the installed application."""
    server = DevServer(application.parent)
    try:
        return server.get("/")
    finally:
        server.close()


def installed(home, example, name, *parameters):
    """Packages an example in a folder and installs it from its feed into another one: the application's folder."""
    project = shutil.copytree(EXAMPLES / f"{example}.msdeploy", home / example)
    feed = package(project)
    assert feed.startswith("file:///") and " " not in feed
    options = [option for parameter in parameters for option in ("--set-param", parameter)]
    site_root = home / "site root"
    iiswsgi("webpi", "install", feed, name, "--site-root", site_root, "--set-param", "Application Path=Demo", *options)
    application = site_root / "Demo"
    assert not (application / "iis_install.stamp").exists()
    python = application / "env" / "Scripts" / "python.exe"
    assert python.is_file()
    registered = (site_root / "applicationHost.config").read_text(encoding="utf-8")
    assert str(python) in registered.replace("&apos;", "'"), registered
    return application


def test_the_command_is_the_wheels():
    assert iiswsgi("--version").startswith("iiswsgi ")


def test_console_scripts_are_programs(scripts):
    version = iiswsgi("--version")
    assert succeed(scripts / "iiswsgi.exe", "--version") == version
    for name in ["iiswsgi_install", "iiswsgi_webpi", "wfastcgi-enable", "wfastcgi-disable"]:
        assert "usage:" in succeed(scripts / f"{name}.exe", "--help").lower()


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_sample_shows_its_environ(tmp_path, folder):
    application = installed(tmp_path / folder, "sample", "iiswsgi-sample-app", "Table Style=dark")
    page = answer(application, "/caf%C3%A9")
    assert '<td id="PATH_INFO">/café</td>' in page
    assert '<td id="setting.tableStyle">dark</td>' in page
    assert '<td id="setting.tableStyle">dark</td>' in served(application)


def test_pyramid_is_set_up_from_its_parameters(tmp_path):
    """One of its dependencies is a compiled extension module."""
    application = installed(
        tmp_path, "pyramid", "iiswsgi-pyramid-app", "Project Name=guestbook", "Scaffold=api"
    )
    assert (application / "guestbook").is_dir(), "the project is made by the package's own set-up step"
    assert list(application.glob("env/Lib/site-packages/zope/interface/*win_amd64.pyd"))
    assert "guestbook" in answer(application)
    assert "guestbook" in served(application)


def test_django_migrates_its_database_and_counts_visits(tmp_path):
    application = installed(tmp_path / FOLDERS[1], "django", "iiswsgi-django-app")
    visits = [re.search(r"\d+", re.sub(r"<[^>]*>", "", page)) for page in [answer(application), served(application)]]
    first, second = (int(found.group()) for found in visits)
    assert second == first + 1


def test_the_same_project_gives_the_same_package_in_another_folder(tmp_path):
    packages = []
    for folder in FOLDERS:
        project = shutil.copytree(EXAMPLES / "sample.msdeploy", tmp_path / folder)
        package(project)
        [made] = project.glob("dist/*.zip")
        packages.append(made.read_bytes())
    assert packages[0] == packages[1]


def test_extension_modules_for_windows_are_loaded():
    import markupsafe._speedups

    assert markupsafe._speedups.__file__.endswith(".pyd")
    assert markupsafe.escape("<&>") == "&lt;&amp;&gt;"
