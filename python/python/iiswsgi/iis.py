"""IIS's configuration: FastCGI applications registered, and what keeps one from working.

Each function is a subcommand of ``iiswsgi iis``, run in this process: ``iiswsgi iis NAME --help`` says what its parameters
mean. It returns the report that ``--format json`` writes.
"""

from collections.abc import Iterable
from typing import Optional, Union

from ._call import Path, Report, Values, call

__all__ = ["disable", "doctor", "enable", "list"]


def disable(
    *,
    config: Optional[Path] = None,
    appcmd: Optional[Path] = None,
    full_path: Optional[Path] = None,
    arguments: Optional[str] = None,
    handler: Optional[str] = None,
    site_dir: Optional[Path] = None,
    http_platform: bool = False,
    diff: bool = False,
    dry_run: bool = False,
) -> Report:
    """Remove a FastCGI application and its handler.

    ``iiswsgi iis disable``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("iis disable", locals())


def doctor(paths: Union[Path, Iterable[Path]] = (), *, longest_silence: Optional[str] = None) -> Report:
    """Say why an application does not work, of this machine or of copied files.

    ``iiswsgi iis doctor``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("iis doctor", locals())


def enable(
    *,
    config: Optional[Path] = None,
    appcmd: Optional[Path] = None,
    full_path: Optional[Path] = None,
    arguments: Optional[str] = None,
    app: Optional[str] = None,
    set: Values = (),
    env: Values = (),
    handler: Optional[str] = None,
    site_dir: Optional[Path] = None,
    http_platform: bool = False,
    diff: bool = False,
    dry_run: bool = False,
) -> Report:
    """Register a FastCGI application, and a handler for it.

    ``iiswsgi iis enable``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("iis enable", locals())


def list(*, config: Optional[Path] = None, appcmd: Optional[Path] = None) -> Report:
    """List the FastCGI applications.

    ``iiswsgi iis list``, whose options the parameters are. Raises `iiswsgi.Error`.
    """
    return call("iis list", locals())
