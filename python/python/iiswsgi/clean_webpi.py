"""``clean_webpi``: what the Web Platform Installer keeps of a feed and its packages."""

import os

from .bdist_webpi import bdist_webpi
from .setuptools_command import IiswsgiCommand


class clean_webpi(bdist_webpi):
    """Remove WebPI's cached copies of the feed that ``bdist_webpi`` builds, and of the packages it lists."""

    description = "remove what the Web Platform Installer keeps of this feed and its packages"

    user_options = [*bdist_webpi.user_options, ("dry-run", "n", "remove nothing, only say what would be")]
    boolean_options = ["dry-run"]

    def initialize_options(self) -> None:
        """Set the options that were not given."""
        super().initialize_options()
        self.dry_run = False

    def run(self) -> None:
        """Remove them, as ``iiswsgi webpi clean`` does."""
        if not os.path.exists(self.path()):
            self.run_command("bdist_webpi")
        self.iiswsgi("webpi", "clean", *(["--dry-run"] if self.dry_run else []), self.path())
