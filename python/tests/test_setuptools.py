"""The setuptools commands, and the keywords of setup()."""

import os
import re
import subprocess
import sys
import textwrap
import zipfile

import pytest

KEYWORDS = {
    "title": "Guest book",
    "author_url": "https://example.org/author",
    "license_url": "https://example.org/licence",
    "display_url": "https://example.org/display",
    "help_url": "https://example.org/help",
    "published": "2012-10-29T12:00:00Z",
    "icon_url": "https://example.org/icon.png",
    "screenshot_url": "https://example.org/screenshot.png",
    "discovery_file": "guest_book.py",
    "msdeploy_url_template": "https://example.org/{name}/{msdeploy_package}",
    "install_webpi": ["Related"],
}

APPLICATION = '''
def application(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("the guest book is full")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode(), environ["wsgi.input"].read()]
'''

MANIFEST = """\
<MSDeploy.iisApp>
  <iisApp path="%APP_FOLDER%" />
  <runCommand path="iiswsgi_install.exe -e" waitAttempts="10" successReturnCodes="0x0" />
</MSDeploy.iisApp>
"""

PARAMETERS = """\
<parameters>
  <parameter name="Application Path" tags="iisApp" defaultValue="Default Web Site/guest-book">
    <parameterEntry kind="ProviderPath" scope="iisApp" match=".*" />
  </parameter>
</parameters>
"""

WEB_CONFIG = """\
<configuration>
  <system.webServer>
    <handlers>
      <add name="guest-book" path="*" verb="*" modules="FastCgiModule" scriptProcessor="%PYTHON_EXE%|-m iiswsgi serve guest_book:application" />
    </handlers>
    <fastCgi>
      <application fullPath="%PYTHON_EXE%" arguments="-m iiswsgi serve guest_book:application">
        <environmentVariables><environmentVariable name="GREETING" value="%WEB_CONFIG_VAR%" /></environmentVariables>
      </application>
    </fastCgi>
  </system.webServer>
</configuration>
"""

BASIC = 'name="guest-book", version="1.2", description="A guest book", author="A. Uthor", url="https://example.org/", py_modules=["guest_book"]'


def write_project(folder, setup_py=None, **files):
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "guest_book.py": APPLICATION,
        "Manifest.xml.in": MANIFEST,
        "Parameters.xml": PARAMETERS,
        "web.config.in": WEB_CONFIG,
        "iis_install.stamp.in": "",
        "MANIFEST.in": "include *.in Parameters.xml\n",
        "setup.py": setup_py,
        **{name.replace("__", "."): text for name, text in files.items()},
    }
    for name, text in contents.items():
        if text is not None:
            (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def keywords(**more):
    return ", ".join(f"{name}={value!r}" for name, value in {**KEYWORDS, **more}.items())


def setup_py(*arguments):
    return "from setuptools import setup\nsetup({})\n".format(", ".join([BASIC, *arguments]))


def run(folder, *arguments, status=0, **env):
    """Runs setup.py; what it writes."""
    done = subprocess.run(
        [sys.executable, "setup.py", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1351512000", "PYTHONWARNINGS": "ignore", **env},
        timeout=300,
    )
    said = done.stdout.decode()
    assert done.returncode == status, said
    assert "Traceback" not in said or status, said
    return said


def package_names(folder, stem="guest-book-1.2"):
    with zipfile.ZipFile(folder / "dist" / f"{stem}.msdeploy.zip") as package:
        assert package.testzip() is None
        return set(package.namelist())


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "guest book", setup_py(keywords(), 'extras_require={"install_msdeploy": ["Needed"], "webpi_eggs": ["virtualenv"]}'))


def test_a_package_and_a_feed_in_one_line(project):
    said = run(project, "bdist_msdeploy", "bdist_webpi", "-m", ".")
    assert "file://" in said
    names = package_names(project)
    assert {"Manifest.xml", "Parameters.xml"} < names
    assert {f"guest-book/{name}" for name in ("guest_book.py", "web.config.in", "iis_install.stamp", "setup.py")} <= names
    assert not any("egg-info" in name for name in names)
    feed = (project / "dist/guest-book-1.2.webpi.xml").read_text(encoding="utf-8")
    for value in [*KEYWORDS.values(), "Needed", "virtualenv"]:
        value = value[0] if isinstance(value, list) else value
        value = value.format(name="guest-book", msdeploy_package="guest-book-1.2.msdeploy.zip")
        assert value in feed, value


def without_package(feed):
    """The feed without what depends on the package's octets."""
    return re.sub("<(fileSize|sha1)>[^<]*<", r"<\1><", feed)


def test_pyproject_alone_gives_the_same(tmp_path, project):
    run(project, "bdist_msdeploy", "bdist_webpi")
    table = "\n".join(f"{name.replace('_', '-')} = {value!r}" for name, value in KEYWORDS.items())
    pyproject = f"""\
[build-system]
requires = ["setuptools"]
[project]
name = "guest-book"
version = "1.2"
description = "A guest book"
authors = [{{ name = "A. Uthor" }}]
urls = {{ Homepage = "https://example.org/" }}
[tool.setuptools]
py-modules = ["guest_book"]
[tool.iiswsgi]
install-msdeploy = ["Needed"]
webpi-eggs = ["virtualenv"]
{table}
"""
    other = write_project(tmp_path / "other", pyproject__toml=pyproject)
    for command in (["msdeploy", "package"], ["webpi", "feed", "."]):
        subprocess.run(
            [sys.executable, "-m", "iiswsgi", "-q", *command],
            cwd=other,
            check=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1351512000"},
            stdout=subprocess.DEVNULL,
        )
    assert package_names(other) ^ package_names(project) == {"guest-book/setup.py", "guest-book/pyproject.toml"}
    feeds = [(folder / "dist/guest-book-1.2.webpi.xml").read_text(encoding="utf-8") for folder in (project, other)]
    assert without_package(feeds[0]) == without_package(feeds[1])


def test_files_are_recorded_for_uploads(tmp_path):
    custom = """
        from setuptools import Command, setup
        class upload(Command):
            user_options = []
            def initialize_options(self): pass
            def finalize_options(self): pass
            def run(self): print("recorded", self.distribution.dist_files)
        setup(%s, %s, cmdclass={"upload": upload})
    """ % (BASIC, keywords())
    folder = write_project(tmp_path / "p", custom)
    said = run(folder, "bdist_msdeploy", "bdist_webpi", "upload")
    expected = [("bdist_msdeploy", "any", "dist/guest-book-1.2.msdeploy.zip"), ("bdist_webpi", "any", "dist/guest-book-1.2.webpi.xml")]
    assert f"recorded {expected}" in said


def test_settings_and_aliases_of_setup_cfg(tmp_path):
    other = write_project(tmp_path / "an other", setup_py(keywords()).replace('"guest-book"', '"other"'))
    run(other, "bdist_msdeploy", "-d", "out")
    setup_cfg = """
        [bdist_msdeploy]
        dist_dir = out
        [bdist_webpi]
        dist_dir = out
        msdeploy_bdists = . "../an other"
        msdeploy_url_template = {msdeploy_package_url}
        [aliases]
        release = bdist_msdeploy bdist_webpi
    """
    folder = write_project(tmp_path / "p", setup_py(keywords()), setup__cfg=setup_cfg)
    # The build backend of the other project needs iiswsgi: our wheel.
    run(folder, "release", PIP_FIND_LINKS=os.environ["IISWSGI_TEST_WHEELS"])
    feed = (folder / "out/guest-book-1.2.webpi.xml").read_text(encoding="utf-8")
    assert re.findall("<productId>(guest-book|other)<", feed) == ["guest-book", "other"]
    assert "file:///" in feed
    assert "an%20other/out/other-1.2.msdeploy.zip" in feed


def test_build_runs_build_msdeploy_where_there_is_a_manifest(tmp_path):
    with_manifest = write_project(tmp_path / "with", setup_py())
    run(with_manifest, "build")
    assert "MSDeploy.MSDeployProviderOptions" in (with_manifest / "Manifest.xml").read_text(encoding="utf-8")
    assert (with_manifest / "iis_install.stamp").exists()
    without = write_project(tmp_path / "without", setup_py())
    (without / "Manifest.xml.in").unlink()
    assert "build_msdeploy" not in run(without, "build")


def test_a_custom_installation(tmp_path):
    custom = """
        import os
        from setuptools import setup
        from iiswsgi import install_msdeploy

        class install_custom_msdeploy(install_msdeploy.install_msdeploy):
            def run(self):
                os.environ["WEB_CONFIG_VAR"] = "good <morning>"
                self.pre_install()
                assert not os.path.exists("web.config")
                open("custom.txt", "w").close()
                self.post_install()

        setup(%s, cmdclass=dict(install_msdeploy=install_custom_msdeploy))
    """ % BASIC
    folder = write_project(tmp_path / "p", custom)
    run(folder, "install_msdeploy", "--test", "-o", "--site-root .")
    assert (folder / "custom.txt").exists()
    web_config = (folder / "web.config").read_text(encoding="utf-8")
    assert sys.executable in web_config
    registered = (folder / "applicationHost.config").read_text(encoding="utf-8")
    assert 'value="good &lt;morning&gt;"' in registered


def test_the_application_is_tried(project):
    said = run(project, "test_msdeploy", "--app", "guest_book:application", "--status", "200")
    assert "200" in said
    said = run(project, "test_msdeploy", "--app", "guest_book:application", "-u", "/broken", status=1)
    assert "the guest book is full" in said
    said = run(project, "test_msdeploy", "--app", "guest_book:application", "-s", "404", status=1)
    assert "404" in said


def test_caches_are_cleaned(tmp_path, project):
    run(project, "bdist_msdeploy", "bdist_webpi")
    webpi = tmp_path / "Microsoft/Web Platform Installer"
    (webpi / "installers/guest-book").mkdir(parents=True)
    (webpi / "installers/another").mkdir()
    cached = webpi / "-12345.xml"
    cached.write_bytes((project / "dist/guest-book-1.2.webpi.xml").read_bytes())
    run(project, "clean_webpi", "-n", LOCALAPPDATA=str(tmp_path))
    assert cached.exists()
    run(project, "clean_webpi", LOCALAPPDATA=str(tmp_path))
    assert not cached.exists()
    assert not (webpi / "installers/guest-book").exists()
    assert (webpi / "installers/another").exists()


@pytest.mark.parametrize("keyword", [*KEYWORDS, "install_msdeploy", "webpi_eggs"])
def test_a_keyword_of_a_wrong_type_is_refused(tmp_path, keyword):
    is_list = keyword in ("install_msdeploy", "install_webpi", "webpi_eggs")
    for value in ("'text'", "[1]") if is_list else ("['list']", "' '"):
        folder = write_project(tmp_path / "p", setup_py(f"{keyword}={value}"))
        said = run(folder, "--name", status=1)
        assert f"`{keyword}`" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("icon_url", "icon.png", "is not an absolute address"),
        ("published", "yesterday", "is not a date and time"),
        ("discovery_file", "../x", "is not a path inside the application"),
    ],
)
def test_a_keyword_of_a_wrong_content_is_refused(tmp_path, keyword, value, said):
    folder = write_project(tmp_path / "p", setup_py(f"{keyword}={value!r}"))
    assert said in run(folder, "bdist_msdeploy", status=1)
    assert not (folder / "dist").exists()


def test_a_missing_manifest_is_said(tmp_path):
    folder = write_project(tmp_path / "p", setup_py())
    (folder / "Manifest.xml.in").unlink()
    said = run(folder, "bdist_msdeploy", status=1)
    assert "Manifest.xml" in said
    assert "Traceback" not in said
    assert not (folder / "dist").exists()


def test_a_build_backend_that_fails_says_why(tmp_path):
    backend = "raise RuntimeError('no compiler for guest books')\n"
    pyproject = """\
        [build-system]
        requires = []
        build-backend = "backend"
        backend-path = ["."]
        [project]
        name = "guest-book"
        dynamic = ["version"]
    """
    folder = write_project(tmp_path / "p", pyproject__toml=pyproject, backend__py=backend)
    done = subprocess.run(
        [sys.executable, "-m", "iiswsgi", "msdeploy", "package"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=300,
    )
    assert done.returncode == 1
    assert b"no compiler for guest books" in done.stderr
    assert done.stdout == b""
    assert not (folder / "dist").exists()


@pytest.mark.parametrize("name", ["author_url", "license_url", "display_url", "help_url", "screenshot_url"])
def test_every_address_must_be_absolute(tmp_path, name):
    folder = write_project(tmp_path / "p", setup_py(f"{name}='example.org/page'"))
    said = run(folder, "bdist_msdeploy", status=1)
    assert name.replace("_", "-") in said
    assert "is not an absolute address" in said


def test_a_feed_needs_its_packages(project):
    said = run(project, "bdist_webpi", status=1)
    assert "msdeploy package" in said
    assert not (project / "dist/guest-book-1.2.webpi.xml").exists()


def test_command_packages_find_the_commands():
    from setuptools import Distribution

    distribution = Distribution({"name": "x", "command_packages": "iiswsgi"})
    names = ["build_msdeploy", "install_msdeploy", "test_msdeploy", "bdist_msdeploy", "bdist_webpi", "clean_webpi"]
    # Past the entry points, as distutils finds them.
    find = super(Distribution, distribution).get_command_class
    for name in names:
        assert find(name).__module__ == f"iiswsgi.{name}"


def test_importing_iiswsgi_does_not_import_setuptools():
    program = "import sys, iiswsgi, iiswsgi.__main__; sys.exit('setuptools' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("age", ["oldest", "newest"])
def test_old_and_new_versions_of_setuptools(tmp_path, project, age):
    if age == "oldest":
        version = "58.0.0" if sys.version_info < (3, 12) else "66.1.0"
    else:
        version = "84.2.1" if sys.version_info >= (3, 10) else "82.0.1"
    place = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(place), f"setuptools=={version}"],
        check=True,
    )
    run(project, "bdist_msdeploy", "bdist_webpi", PYTHONPATH=str(place))
    assert "guest-book/guest_book.py" in package_names(project)
