"""Paths as Windows has them, through the command in Windows' CPython."""

import json
import os
import pathlib
import shutil
import tempfile

import pytest
from windows import EXAMPLES, DevServer, iiswsgi, package


@pytest.fixture
def share():
    """A folder of a network share, which is a folder of Wine's own."""
    with tempfile.TemporaryDirectory(dir=os.environ["IISWSGI_TEST_SHARE"]) as folder:
        assert folder.startswith("\\\\")
        yield pathlib.Path(folder)


def sample(folder):
    return shutil.copytree(EXAMPLES / "sample.msdeploy", folder)


def made(report):
    return json.loads(report)["path"]


def test_drive_letters_prefixes_and_case_name_the_same_folder(tmp_path):
    project = sample(tmp_path / "Sample")
    names = [str(project), "\\\\?\\" + str(project), str(project).upper(), str(project).replace("\\", "/")]
    packages = {made(iiswsgi("msdeploy", "package", name, "--format", "json")).lower() for name in names}
    assert len(packages) == 1, packages
    assert not packages.pop().startswith("\\\\?")


def test_a_path_of_more_than_260_characters(tmp_path):
    folder = tmp_path
    while len(str(folder)) < 300:
        folder = folder / ("long name " * 4).strip()
    prefixed = "\\\\?\\" + str(folder)
    shutil.copytree(EXAMPLES / "sample.msdeploy", prefixed)
    feed = package(folder)
    site_root = folder / "site"
    iiswsgi("msdeploy", "package", prefixed)
    assert "iiswsgi-sample-app" in iiswsgi("webpi", "list", feed)
    package_path = made(iiswsgi("msdeploy", "package", folder, "--format", "json"))
    assert len(package_path) > 300
    iiswsgi("msdeploy", "sync", package_path, site_root)
    with open(f"\\\\?\\{site_root}\\web.config.in", "rb") as copied, open(f"{prefixed}\\web.config.in", "rb") as original:
        assert copied.read() == original.read()


def test_names_are_compared_whatever_their_case(tmp_path):
    config = tmp_path / "applicationHost.config"
    config.write_text("<configuration><system.webServer><globalModules><add name='FastCgiModule' image='x'/></globalModules></system.webServer></configuration>")
    named = ["--config", str(config).upper(), "--arguments", "-u"]
    iiswsgi("iis", "enable", "--full-path", r"C:\Python\python.exe", *named)
    again = iiswsgi("iis", "enable", "--full-path", r"c:\PYTHON\Python.exe", *named)
    assert again.startswith("set fullPath of")
    assert config.read_text().lower().count("<application ") == 1


def test_a_network_path(share):
    project = sample(share / "sample")
    package(project)
    [feed] = project.glob("dist/*.webpi.xml")
    assert feed.as_uri().startswith("file://") and not feed.as_uri().startswith("file:///")
    assert "iiswsgi-sample-app" in iiswsgi("webpi", "list", feed.as_uri())
    [made] = project.glob("dist/*.zip")
    application = share / "site" / "Demo"
    iiswsgi("msdeploy", "sync", made, application, "--set-param", "Table Style=dark")
    iiswsgi("msdeploy", "install", application, "--site-root", share / "site", "--no-virtual-env", "--test")
    assert "200 OK" in iiswsgi("msdeploy", "test", application)
    server = DevServer(application.parent)
    try:
        assert '<td id="setting.tableStyle">dark</td>' in server.get("/Demo/")
    finally:
        server.close()
