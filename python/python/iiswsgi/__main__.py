"""The console scripts, and ``python -m iiswsgi``."""

import signal
import sys

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


if __name__ == "__main__":
    sys.exit(main())
