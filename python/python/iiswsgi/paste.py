"""PasteDeploy's entry points: ``egg:iiswsgi#iis`` and ``egg:iiswsgi#test_app``."""

import html
from typing import Any, Callable, Iterable

from ._iiswsgi import serve

TRUE = frozenset(["1", "on", "t", "true", "y", "yes"])


def _options(settings: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `serve` from the settings of an INI file's server section, which are strings."""
    options: dict[str, Any] = {}
    for name, value in settings.items():
        text = str(value)
        if name in ("unix", "tcp", "script_name", "log_file", "log_level"):
            options[name] = text
        elif name == "threads":
            options[name] = int(text)
        elif name == "unix_mode":
            options[name] = int(text, 8)
        elif name in ("log_json", "stderr_to_server"):
            options[name] = text.lower() in TRUE
        else:
            raise ValueError(f"egg:iiswsgi#iis has no setting {name!r}")
    return options


def server_runner(wsgi_app: Callable[..., Iterable[bytes]], global_conf: Any = None, **settings: Any) -> None:
    """Serve `wsgi_app` until the Web server ends it (``paste.server_runner``)."""
    serve(wsgi_app, **_options(settings))


def server_factory(global_conf: Any, **settings: Any) -> Callable[[Callable[..., Iterable[bytes]]], None]:
    """Return what serves an application (``paste.server_factory``)."""
    options = _options(settings)

    def server(wsgi_app: Callable[..., Iterable[bytes]]) -> None:
        serve(wsgi_app, **options)

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
