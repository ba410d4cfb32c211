"""``bdist_webpi``: the Web Platform Installer feed."""

import os
import shlex

from .setuptools_command import IiswsgiCommand, dist_folder


class bdist_webpi(IiswsgiCommand):
    """Build a WebPI feed of Web Deploy packages that were built before, and of the distributions in ``webpi_eggs``."""

    description = "build a Web Platform Installer feed"

    user_options = [
        ("msdeploy-bdists=", "m", "folders of the distributions whose packages the feed lists, quoted as for a shell [default: .]"),
        ("msdeploy-url-template=", "u", "where the packages can be fetched from, with {name}, {version}, … [default: the keyword of setup()]"),
        ("template=", "t", "a handlebars template of your own for the feed"),
        ("dist-dir=", "d", "folder for the feed [default: dist]"),
    ]

    def initialize_options(self) -> None:
        """Set the options that were not given."""
        self.msdeploy_bdists = None
        self.msdeploy_url_template = None
        self.template = None
        self.dist_dir = None

    def finalize_options(self) -> None:
        """Split the folders."""
        self.folders = shlex.split(self.msdeploy_bdists or ".")

    def path(self) -> str:
        """Where the feed is."""
        return os.path.join(dist_folder(self), self.stem() + ".webpi.xml")

    def run(self) -> None:
        """Build it, as ``iiswsgi webpi feed`` does."""
        options = ["--about", ".", "--output", self.path()]
        if self.msdeploy_url_template:
            options += ["--msdeploy-url-template", self.msdeploy_url_template]
        if self.template:
            options += ["--template", self.template]
        options += ["--dist-dir", dist_folder(self)]
        self.iiswsgi("webpi", "feed", *options, "--", *self.folders)
        self.add_dist_file(self.path())
