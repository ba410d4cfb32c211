"""Web Platform Installer feeds: written, checked and installed from.

Each function is a subcommand of ``iiswsgi webpi``, run in this process: ``iiswsgi webpi NAME --help`` says what its parameters
mean. It returns the report that ``--format json`` writes.
"""

from collections.abc import Iterable
from typing import Optional, Union

from ._call import Path, Report, Values, call

__all__ = ["check", "clean", "diff", "feed", "install", "list", "logs", "merge", "offline", "show"]


def check(feeds: Union[Path, Iterable[Path]], *, fetch: bool = False, strict: bool = False) -> Report:
    """Say what is wrong with feeds.

    ``iiswsgi webpi check``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi check", locals())


def clean(
    feeds: Union[Path, Iterable[Path]] = (),
    *,
    product: Iterable[str] = (),
    all: bool = False,
    webpi_folder: Optional[Path] = None,
    site_root: Optional[Path] = None,
    appcmd: Optional[Path] = None,
    dry_run: bool = False,
) -> Report:
    """Remove what WebPI keeps of feeds and products.

    ``iiswsgi webpi clean``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi clean", locals())


def diff(old: Path, new: Path, *, exit_code: bool = False) -> Report:
    """Compare two feeds.

    ``iiswsgi webpi diff``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi diff", locals())


def feed(
    folders: Union[Path, Iterable[Path]],
    *,
    about: Optional[Path] = None,
    msdeploy_url_template: Optional[str] = None,
    output: Optional[Path] = None,
    dist_dir: Optional[Path] = None,
    template: Optional[Path] = None,
) -> Report:
    """Write a feed over the packages of projects.

    ``iiswsgi webpi feed``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi feed", locals())


def install(
    feed: Path,
    product: str,
    *,
    site_root: Path,
    set_param: Values = (),
    set_param_file: Union[Path, Iterable[Path]] = (),
    defaults: bool = False,
    machine: Optional[Path] = None,
    os: Optional[str] = None,
    arch: Optional[str] = None,
    language: Optional[str] = None,
    installed: Iterable[str] = (),
    no_run_commands: bool = False,
) -> Report:
    """Install a product from a feed, with what it needs.

    ``iiswsgi webpi install``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi install", locals())


def list(
    feed: Optional[Path] = None,
    *,
    tree: bool = False,
    search: Iterable[str] = (),
    only: Optional[str] = None,
    webpi_folder: Optional[Path] = None,
    machine: Optional[Path] = None,
    os: Optional[str] = None,
    arch: Optional[str] = None,
    language: Optional[str] = None,
    installed: Iterable[str] = (),
) -> Report:
    """List the products of a feed, or of those that WebPI keeps.

    ``iiswsgi webpi list``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi list", locals())


def logs(*, webpi_folder: Optional[Path] = None, lines: Optional[int] = None, all: bool = False) -> Report:
    """Find WebPI's newest logs and the lines in them that matter.

    ``iiswsgi webpi logs``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi logs", locals())


def merge(
    feeds: Union[Path, Iterable[Path]],
    *,
    output: Path,
    title: Optional[str] = None,
    id: Optional[str] = None,
    strict: bool = False,
) -> Report:
    """Make one feed of several.

    ``iiswsgi webpi merge``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi merge", locals())


def offline(
    feed: Path,
    products: Iterable[str] = (),
    *,
    path: Path,
    all: bool = False,
    url: Optional[str] = None,
    machine: Optional[Path] = None,
    os: Optional[str] = None,
    arch: Optional[str] = None,
    language: Optional[str] = None,
    installed: Iterable[str] = (),
) -> Report:
    """Fetch products and what they need into a folder that installs without a network.

    ``iiswsgi webpi offline``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi offline", locals())


def show(
    feed: Path,
    product: str,
    *,
    machine: Optional[Path] = None,
    os: Optional[str] = None,
    arch: Optional[str] = None,
    language: Optional[str] = None,
    installed: Iterable[str] = (),
) -> Report:
    """Say what installing a product would install, and in which order.

    ``iiswsgi webpi show``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("webpi show", locals())
