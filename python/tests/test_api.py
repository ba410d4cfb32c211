"""The command's subcommands as Python functions."""

import inspect
import json
import os
import pathlib
import subprocess
import sys

import pytest

import iiswsgi
from iiswsgi import _call, _iiswsgi
from test_setuptools import write_project

FUNCTIONS = [
    (module, name) for module in ("msdeploy", "webpi", "iis") for name in getattr(iiswsgi, module).__all__
]

# They end when they are ended.
SERVERS = {"webpi serve", "webpi start"}


def function(module, name):
    return getattr(getattr(iiswsgi, module), name)


@pytest.mark.parametrize("module, name", FUNCTIONS)
def test_the_parameters_are_the_arguments_of_the_command(module, name):
    command = f"{module} {name.replace('_', '-')}"
    arguments = {_call.parameter(argument): argument for argument in _call.arguments(command)}
    parameters = inspect.signature(function(module, name)).parameters
    assert set(parameters) == set(arguments)
    for parameter in parameters.values():
        argument = arguments[parameter.name]
        is_keyword = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert is_keyword == (argument["flag"] is not None), parameter
        assert argument["takes_value"] or parameter.default is False, parameter
        has_no_default = parameter.default is inspect.Parameter.empty
        assert has_no_default == argument["required"], parameter
    assert f"``iiswsgi {command}``" in function(module, name).__doc__


def test_every_subcommand_has_a_function():
    commands = set(json.loads(_iiswsgi.arguments()))
    wanted = {command for command in commands if command.split()[0] in ("msdeploy", "webpi", "iis")} - SERVERS
    assert wanted == {f"{module} {name.replace('_', '-')}" for module, name in FUNCTIONS}


@pytest.fixture
def project(tmp_path):
    pyproject = """\
[project]
name = "guest-book"
version = "1.2"
description = "A guest book"
authors = [{ name = "A. Uthor" }]
urls = { Homepage = "https://example.org/" }
[tool.iiswsgi]
title = "Guest book"
"""
    return write_project(tmp_path / "-guest book", pyproject__toml=pyproject)


def test_a_package_and_a_feed(project, tmp_path, capfd):
    package = iiswsgi.msdeploy.package(project)
    path = project / "dist/guest-book-1.2.msdeploy.zip"
    assert package["path"] == str(path)
    assert path.exists()
    feed = iiswsgi.webpi.feed([project], msdeploy_url_template="{msdeploy_package_url}", output=tmp_path / "feed.xml")
    assert feed["products"] == ["guest-book"]
    listed = iiswsgi.webpi.list(tmp_path / "feed.xml")
    assert [product["product"] for product in listed["feeds"][0]["products"]] == ["guest-book"]
    assert iiswsgi.webpi.check(tmp_path / "feed.xml")["feeds"][0]["errors"] == 0
    synced = iiswsgi.msdeploy.sync(path, tmp_path / "site", set_param={"Application Path": "Site/book"}, defaults=True)
    assert synced
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_an_error_has_its_problems(tmp_path):
    feed = tmp_path / "feed.xml"
    feed.write_text("<feed>\n  <entry>\n</feed>\n")
    with pytest.raises(iiswsgi.Error) as raised:
        iiswsgi.webpi.check(feed)
    (problem,) = raised.value.problems
    assert isinstance(problem, iiswsgi.Problem)
    assert (problem.severity, problem.code, problem.file, problem.line) == ("error", "xml-syntax", str(feed), 3)
    assert problem.column and problem.help
    assert raised.value.exit_status == 1
    assert f"{feed}:3:" in str(raised.value) and problem.help in str(raised.value)


def test_an_error_of_a_check_has_the_report(tmp_path):
    feed = tmp_path / "feed.xml"
    feed.write_text("<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><id>urn:t</id></feed>")
    with pytest.raises(iiswsgi.Error) as raised:
        iiswsgi.webpi.check([feed])
    problems = raised.value.report["feeds"][0]["problems"]
    assert [problem["code"] for problem in problems] == ["webpi-no-products"]


def test_a_misused_option_is_an_error(tmp_path):
    with pytest.raises(iiswsgi.Error) as raised:
        iiswsgi.msdeploy.package(tmp_path, layout="round")
    assert raised.value.exit_status == 2
    assert "round" in raised.value.problems[0].message


def test_what_begins_with_a_hyphen_is_a_value(tmp_path):
    with pytest.raises(iiswsgi.Error) as raised:
        iiswsgi.msdeploy.check("--help", root="-x")
    assert "--help" in raised.value.problems[0].message


def test_it_is_typed(tmp_path):
    """mypy and stubtest are content with the package, and with a program that uses it."""
    package = pathlib.Path(iiswsgi.__file__).parent
    assert (package / "py.typed").exists()
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib\n"
        "import iiswsgi\n"
        "from iiswsgi.webpi import check\n"
        "report: dict[str, object] = iiswsgi.msdeploy.package(pathlib.Path('.'), layout='gallery')\n"
        "try:\n"
        "    check(['a', pathlib.Path('b')], strict=True)\n"
        "except iiswsgi.Error as error:\n"
        "    places = [(problem.file, problem.line) for problem in error.problems]\n"
        "iiswsgi.serve('site:application', threads=4)\n"
    )
    cache = ["--cache-dir", str(tmp_path / "cache")]
    for arguments in (
        ["mypy", *cache, "--strict", "-p", "iiswsgi"],
        ["mypy", *cache, "--strict", str(program)],
        ["mypy.stubtest", "iiswsgi._iiswsgi"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ
        )
        assert done.returncode == 0, done.stdout.decode()
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import iiswsgi\niiswsgi.msdeploy.package(layout=1)\n")
    done = subprocess.run([sys.executable, "-m", "mypy", *cache, "--strict", str(wrong)], stdout=subprocess.PIPE, cwd=tmp_path)
    assert b'"layout"' in done.stdout and done.returncode == 1
