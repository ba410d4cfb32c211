"""Python web applications on Microsoft IIS: FastCGI gateway, Web Deploy packages and WebPI feeds.

>>> import iiswsgi
>>> iiswsgi.serve("site.wsgi:application", unix="/run/site.sock")  # doctest: +SKIP
"""

from ._iiswsgi import __version__, serve

__all__ = ["__version__", "serve"]
