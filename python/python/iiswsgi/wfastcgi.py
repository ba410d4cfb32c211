"""A drop-in for ``wfastcgi.py``: what the ``web.config`` of a site that wfastcgi served names in its place.

``python.exe|-u -m iiswsgi.wfastcgi``, or the path of this file as an argument of Python, serves the application that
``WSGI_HANDLER`` names, with wfastcgi's settings. It is ``iiswsgi wfastcgi``.
"""

import os
import sys


def main() -> int:
    """``python -m iiswsgi.wfastcgi``"""
    folder = os.path.normcase(os.path.dirname(os.path.abspath(__file__)))
    # Started by its path, Python looks for modules here first: ``import paste`` would find ours.
    sys.path[:] = [entry for entry in sys.path if os.path.normcase(os.path.abspath(entry)) != folder]
    from iiswsgi.__main__ import run

    return run("wfastcgi", *sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
