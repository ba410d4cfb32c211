"""Python web applications on Microsoft IIS: FastCGI gateway, Web Deploy packages and WebPI feeds.

>>> import iiswsgi
>>> iiswsgi.serve("site.wsgi:application", unix="/run/site.sock")  # doctest: +SKIP
>>> iiswsgi.msdeploy.package("guest-book")["path"]  # doctest: +SKIP
'guest-book/dist/guest-book-1.2.msdeploy.zip'

``iiswsgi.msdeploy``, ``iiswsgi.webpi`` and ``iiswsgi.iis`` have a function for each subcommand; `Error` says what was wrong.
"""

from typing import TYPE_CHECKING, Any

from ._iiswsgi import __version__, serve

if TYPE_CHECKING:
    from . import iis as iis
    from . import msdeploy as msdeploy
    from . import webpi as webpi
    from ._call import Error as Error
    from ._call import Problem as Problem

__all__ = ["Error", "Problem", "__version__", "iis", "msdeploy", "serve", "webpi"]


def __getattr__(name: str) -> Any:
    # A worker that serves needs none of them.
    import importlib

    if name in ("iis", "msdeploy", "webpi"):
        return importlib.import_module(f".{name}", __name__)
    if name in ("Error", "Problem"):
        return getattr(importlib.import_module("._call", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
