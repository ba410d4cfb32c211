"""The console scripts, and ``python -m iiswsgi``."""

import signal
import sys
from typing import List

from . import _iiswsgi


def run(*arguments: str) -> int:
    """Run the command and return its exit status."""
    # Python's own handler waits for Python code to run, which may take long: the command ends at once unless it
    # has handlers of its own, as the gateway and the development server do.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _iiswsgi.main(["iiswsgi", *arguments])


def main() -> int:
    """``iiswsgi``"""
    return run(*sys.argv[1:])


def install() -> int:
    """``iiswsgi_install``, the name that iiswsgi 0.3 gave to ``iiswsgi bootstrap``."""
    return run("bootstrap", *sys.argv[1:])


def webpi() -> int:
    """``iiswsgi_webpi``, the name that iiswsgi 0.3 gave to ``iiswsgi webpi start``."""
    return run("webpi", "start", *sys.argv[1:])


def wfastcgi_enable() -> int:
    """``wfastcgi-enable``: ``iiswsgi iis enable`` for ``iiswsgi.wfastcgi``."""
    return run("iis", "enable", "--arguments", WFASTCGI, *_appcmd(sys.argv[1:]))


def wfastcgi_disable() -> int:
    """``wfastcgi-disable``: ``iiswsgi iis disable`` for ``iiswsgi.wfastcgi``."""
    return run("iis", "disable", "--arguments", WFASTCGI, *_appcmd(sys.argv[1:]))


# What Python is started with in place of the path of ``wfastcgi.py``.
WFASTCGI = "-u -m iiswsgi.wfastcgi"


def _appcmd(arguments: List[str]) -> List[str]:
    """The options of ours for wfastcgi's arguments, an appcmd.exe and its ``/apphostconfig:FILE``; others as they are."""
    options = []
    for position, argument in enumerate(arguments):
        if argument.lower().startswith("/apphostconfig:"):
            options += ["--config", argument.partition(":")[2].strip('"')]
        elif position == 0 and not argument.startswith("-"):
            options += ["--appcmd", argument]
        else:
            options.append(argument)
    return options


if __name__ == "__main__":
    sys.exit(main())
