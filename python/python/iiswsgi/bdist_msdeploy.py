"""``bdist_msdeploy``: the Web Deploy package."""

import os

from .setuptools_command import IiswsgiCommand, dist_folder


class bdist_msdeploy(IiswsgiCommand):
    """Build the Web Deploy package of this distribution, with the files that MANIFEST.in selects."""

    description = "build a Web Deploy (MSDeploy) package"

    user_options = [
        ("dist-dir=", "d", "folder for the package [default: dist]"),
        ("install", "i", "run install_msdeploy before, for packages with something in them that it makes"),
    ]
    boolean_options = ["install"]

    def initialize_options(self) -> None:
        """Set the options that were not given."""
        self.dist_dir = None
        self.install = False

    def run(self) -> None:
        """Build it, as ``iiswsgi msdeploy package`` does."""
        self.run_command("build_msdeploy")
        if self.install:
            self.run_command("install_msdeploy")
        path = os.path.join(dist_folder(self), self.stem() + ".msdeploy.zip")
        self.iiswsgi("msdeploy", "package", ".", "--output", path)
        self.add_dist_file(path)
