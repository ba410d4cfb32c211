"""``build_msdeploy``: Manifest.xml and the stamp file made from their templates."""

from .setuptools_command import IiswsgiCommand


class build_msdeploy(IiswsgiCommand):
    """Compile Manifest.xml.in, whose runCommand settings become what Web Deploy reads, and put the stamp file in place."""

    description = "compile Web Deploy's Manifest.xml, and put the stamp file for the installation in place"

    def run(self) -> None:
        """Make the files, as ``iiswsgi msdeploy build`` does."""
        self.iiswsgi("msdeploy", "build", ".")
