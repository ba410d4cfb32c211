"""``test_msdeploy``: a request to the application, without a Web server."""

import sys
from typing import Optional

from .setuptools_command import IiswsgiCommand


class test_msdeploy(IiswsgiCommand):
    """Request a page of the application in this process; an application that fails makes the command fail."""

    # Not a test of pytest's.
    __test__ = False

    description = "request a page of the application, and fail where it fails"

    user_options = [
        ("config=", "c", "a PasteDeploy INI file, or FILE.ini#name [default: what web.config starts, else the only INI file]"),
        ("app=", "a", "the WSGI application instead, `module:callable`"),
        ("url=", "u", "the path that is requested [default: /]"),
        ("method=", "m", "the request's method [default: GET, and POST with a body]"),
        ("header=", "H", "header fields of the request, one `Name: value` on a line"),
        ("body=", "b", "a file with the request's body"),
        ("status=", "s", "the status that the answer has to have [default: any below 500]"),
    ]

    def initialize_options(self) -> None:
        """Set the options that were not given."""
        self.config: Optional[str] = None
        self.app: Optional[str] = None
        self.url: Optional[str] = None
        self.method: Optional[str] = None
        self.header: Optional[str] = None
        self.body: Optional[str] = None
        self.status: Optional[str] = None

    def run(self) -> None:
        """Make the request, as ``iiswsgi msdeploy test`` does."""
        options = [
            ("--config", self.config),
            ("--app", self.app),
            ("--path", self.url),
            ("--method", self.method),
            ("--body", self.body),
            ("--status", self.status),
        ]
        options += [("--header", line.strip()) for line in (self.header or "").splitlines() if line.strip()]
        given = [argument for name, value in options if value for argument in (name, str(value))]
        self.iiswsgi("msdeploy", "test", ".", "--python", sys.executable, *given)
