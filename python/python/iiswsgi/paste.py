"""PasteDeploy's entry points: ``egg:iiswsgi#iis`` and ``egg:iiswsgi#test_app``."""

import html
import os
import sys
import traceback
from typing import Any, Callable, Dict, Iterable, List

from ._iiswsgi import log_failure, open_log, serve

TRUE = frozenset(["1", "on", "t", "true", "y", "yes"])
FALSE = frozenset(["0", "off", "f", "false", "n", "no"])
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _boolean(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise ValueError("write true or false")
    return text.lower() in TRUE


def _size(text: str) -> int:
    number = text.upper().rstrip("B")
    if number and number[-1] in UNITS:
        return int(number[:-1]) * UNITS[number[-1]]
    return int(number)


def _octal(text: str) -> int:
    return int(text, 8)


def _paths(text: str) -> List[str]:
    """One in a line, or several with the separator that PATH has."""
    paths = (path.strip() for line in text.splitlines() for path in line.split(os.pathsep))
    return [path for path in paths if path]


# The settings of a server section, which are the keyword arguments of `serve`, with what reads their texts.
SETTINGS: Dict[str, Callable[[str], Any]] = {
    "unix": str,
    "unix_mode": _octal,
    "unix_owner": str,
    "tcp": str,
    "threads": int,
    "processes": int,
    "graceful_timeout": float,
    "max_requests": int,
    "max_requests_jitter": int,
    "reload": _boolean,
    "reload_root": _paths,
    "reload_file": _paths,
    "chdir": str,
    "python_path": _paths,
    "script_name": str,
    "log_file": str,
    "log_level": str,
    "log_json": _boolean,
    "log_max_size": _size,
    "log_keep": int,
    "access_log": str,
    "access_log_format": str,
    "request_id_header": str,
    "stderr_to_server": _boolean,
    "slow_request": float,
    "ping_path": str,
    "status_path": str,
    "buffer_body": _size,
    "max_body": _size,
    "max_connections": int,
    "queue": int,
    "request_timeout": float,
    "header_timeout": float,
    "idle_timeout": float,
    "read_timeout": float,
    "write_timeout": float,
    "impersonate": _boolean,
}


def _options(settings: Dict[str, Any]) -> Dict[str, Any]:
    """The keyword arguments of `serve` from the settings of an INI file's server section, which are strings.

    A name may have ``-`` for ``_``; a setting that is empty counts as not there.
    """
    options: Dict[str, Any] = {}
    faults = []
    for setting, value in settings.items():
        name, text = setting.replace("-", "_"), str(value).strip()
        if name not in SETTINGS:
            faults.append(f"there is no setting {setting!r}")
        elif text:
            try:
                options[name] = SETTINGS[name](text)
            except ValueError as error:
                faults.append(f"{setting} is {text!r}: {error}")
    if faults:
        raise ValueError("egg:iiswsgi#iis: " + "; ".join(faults))
    return options


def _log_failures(settings: Dict[str, Any]) -> None:
    """Open the log before anything can fail, and have it told what ends the process: IIS swallows standard error."""
    setting = {name.replace("-", "_"): str(value).strip() for name, value in settings.items()}
    as_json = setting.get("log_json", "").lower() in TRUE
    try:
        open_log(setting.get("log_file") or None, setting.get("log_level") or None, as_json)
    except ValueError:
        # A level that is none: told by what reads the settings, in a log of the usual level.
        open_log(setting.get("log_file") or None, None, as_json)
    if getattr(sys.excepthook, "is_iiswsgi", False):
        return
    former = sys.excepthook

    def hook(kind: Any, value: Any, trace: Any) -> None:
        log_failure("".join(traceback.format_exception(kind, value, trace)).rstrip())
        former(kind, value, trace)

    hook.is_iiswsgi = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _serve(wsgi_app: Callable[..., Iterable[bytes]], global_conf: Any, options: Dict[str, Any]) -> None:
    config_file = (global_conf or {}).get("__file__")
    if "processes" in options and config_file:
        # Each process loads the application itself, from the file that this one was loaded from.
        options = {"chdir": os.path.dirname(os.path.abspath(config_file)), **options}
        serve(f"config:{os.path.abspath(config_file)}", **options)
    else:
        serve(wsgi_app, **options)


def server_runner(wsgi_app: Callable[..., Iterable[bytes]], global_conf: Any = None, **settings: Any) -> None:
    """Serve `wsgi_app` until the Web server ends it (``paste.server_runner``)."""
    _log_failures(settings)
    _serve(wsgi_app, global_conf, _options(settings))


def server_factory(global_conf: Any, **settings: Any) -> Callable[[Callable[..., Iterable[bytes]]], None]:
    """Return what serves an application (``paste.server_factory``).

    It is called before the application is loaded, so that a failure of that is in the log.
    """
    _log_failures(settings)
    options = _options(settings)

    def server(wsgi_app: Callable[..., Iterable[bytes]]) -> None:
        _serve(wsgi_app, global_conf, options)

    return server


def test_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application that shows its environ as an HTML table."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>\n"
        for name, value in sorted(environ.items())
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>WSGI environ</title></head>\n'
        f"<body>\n<h1>WSGI environ</h1>\n<table>\n{rows}</table>\n</body>\n</html>\n"
    ).encode("utf-8", "surrogateescape")
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))])
    return [page]


def test_app_factory(global_conf: Any = None, **settings: Any) -> Callable[..., Iterable[bytes]]:
    """Return `test_app` (``paste.app_factory``)."""
    return test_app


# pytest would take them for tests where it sees them.
test_app.__test__ = False  # type: ignore[attr-defined]
test_app_factory.__test__ = False  # type: ignore[attr-defined]
