"""Web Deploy packages: built, checked and applied.

Each function is a subcommand of ``iiswsgi msdeploy``, run in this process: ``iiswsgi msdeploy NAME --help`` says what its parameters
mean. It returns the report that ``--format json`` writes.
"""

from collections.abc import Iterable
from typing import Optional, Union

from ._call import Path, Report, Values, call

__all__ = ["build", "check", "delete", "diff", "dump", "files", "install", "package", "parameters", "sync", "system_info", "test"]


def build(folder: Path = ".") -> Report:
    """Compile a project's Manifest.xml template, and put the stamp file in place.

    ``iiswsgi msdeploy build``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy build", locals())


def check(package: Path, *, root: Optional[Path] = None, sha1: Optional[str] = None) -> Report:
    """Say what is wrong with a package: `report["problems"]` of the `Error` has the findings where there are errors.

    ``iiswsgi msdeploy check``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy check", locals())


def delete(
    application: str,
    *,
    site_root: Optional[Path] = None,
    appcmd: Optional[Path] = None,
    what_if: bool = False,
) -> Report:
    """Delete an application: its folder, its place in the site, and the FastCGI applications that only it uses.

    ``iiswsgi msdeploy delete``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy delete", locals())


def diff(first: Path, second: Path) -> Report:
    """Compare two packages, or a package and a folder.

    ``iiswsgi msdeploy diff``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy diff", locals())


def dump(package: Path, *, xml: bool = False) -> Report:
    """Say what a package does: its providers, parameters and files.

    ``iiswsgi msdeploy dump``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy dump", locals())


def files(folder: Path = ".", *, explain: Iterable[str] = (), dialect: Optional[str] = None) -> Report:
    """List the files of a project that go into its package.

    ``iiswsgi msdeploy files``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy files", locals())


def install(
    folder: Path = ".",
    *,
    site_root: Optional[Path] = None,
    appcmd: Optional[Path] = None,
    python: Optional[Path] = None,
    no_virtual_env: bool = False,
    only: Optional[str] = None,
    test: bool = False,
    strict: bool = False,
) -> Report:
    """Set up an unpacked application: virtual environment, dependencies, web.config, FastCGI registration.

    ``iiswsgi msdeploy install``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy install", locals())


def package(
    folder: Path = ".",
    *,
    output: Optional[Path] = None,
    layout: Optional[str] = None,
    dialect: Optional[str] = None,
) -> Report:
    """Build a project's package.

    ``iiswsgi msdeploy package``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy package", locals())


def parameters(package: Path, *, set_parameters_file: Optional[Path] = None, culture: Optional[str] = None) -> Report:
    """List the parameters that a package asks for.

    ``iiswsgi msdeploy parameters``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy parameters", locals())


def sync(
    package: Path,
    destination: Path,
    *,
    set_param: Values = (),
    set_param_file: Union[Path, Iterable[Path]] = (),
    defaults: bool = False,
    skip: Iterable[str] = (),
    replace: Iterable[str] = (),
    enable_rule: Iterable[str] = (),
    disable_rule: Iterable[str] = (),
    what_if: bool = False,
    run_commands: bool = False,
    site_root: Optional[Path] = None,
) -> Report:
    """Put a package into place with its parameters applied: all of it, or nothing.

    ``iiswsgi msdeploy sync``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy sync", locals())


def system_info(package: Optional[Path] = None) -> Report:
    """Describe the machine that a package was made on, or this one.

    ``iiswsgi msdeploy system-info``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy system-info", locals())


def test(
    folder: Path = ".",
    *,
    config: Optional[str] = None,
    app: Optional[str] = None,
    path: Optional[str] = None,
    method: Optional[str] = None,
    header: Iterable[str] = (),
    body: Optional[Path] = None,
    status: Optional[int] = None,
    show: bool = False,
    python: Optional[Path] = None,
) -> Report:
    """Make one request to the application of a folder, without a Web server.

    ``iiswsgi msdeploy test``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("msdeploy test", locals())
