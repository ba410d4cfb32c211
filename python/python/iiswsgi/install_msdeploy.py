"""``install_msdeploy``: an unpacked application set up where it is."""

import shlex
import sys

from .setuptools_command import IiswsgiCommand


class install_msdeploy(IiswsgiCommand):
    """Install the dependencies, fill in web.config.in, and register the FastCGI application.

    A subclass does something of its own between `pre_install` and `post_install`. Variables that it puts into
    ``os.environ`` before `post_install` are replaced in web.config.in::

        class install_custom_msdeploy(install_msdeploy.install_msdeploy):
            def run(self):
                os.environ["WEB_CONFIG_VAR"] = "foo"
                self.pre_install()
                ...
                self.post_install()
    """

    description = "set up this unpacked application: dependencies, web.config, FastCGI registration"

    user_options = [
        ("virtual-env", "e", "make a virtual environment in the application's folder [default: install into this Python]"),
        ("test", "t", "make a request to the application at the end"),
        ("options=", "o", "further options of `iiswsgi msdeploy install`, quoted as for a shell"),
    ]
    boolean_options = ["virtual-env", "test"]

    def initialize_options(self) -> None:
        """Set the options that were not given."""
        self.virtual_env = False
        self.test = False
        self.options = ""

    def finalize_options(self) -> None:
        """Split the further options."""
        self.further = shlex.split(self.options)

    def run(self) -> None:
        """Install all of it, as ``iiswsgi msdeploy install`` does."""
        self._install()

    def pre_install(self) -> None:
        """Make what the application runs in: the virtual environment, and the dependencies."""
        self._install("--only", "dependencies")

    def post_install(self) -> None:
        """Write web.config, register the application, and try it if that is asked for."""
        self._install("--only", "configuration")

    def _install(self, *part: str) -> None:
        python = [] if self.virtual_env else ["--no-virtual-env"]
        test = ["--test"] if self.test else []
        self.iiswsgi("msdeploy", "install", ".", "--python", sys.executable, *python, *test, *part, *self.further)
