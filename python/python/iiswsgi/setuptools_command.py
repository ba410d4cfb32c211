"""What the setuptools commands have in common: they hand over to the ``iiswsgi`` command."""

import os
from typing import Any, ClassVar, Optional

from setuptools import Command

# setuptools' own distutils, whichever version it is.
from distutils.errors import DistutilsExecError  # isort: skip

from . import _iiswsgi


class IiswsgiCommand(Command):
    """A setuptools command that runs a part of the ``iiswsgi`` command."""

    user_options: ClassVar[list[tuple[str, Optional[str], str]]] = []

    def initialize_options(self) -> None:
        """Set the options that were not given."""

    def finalize_options(self) -> None:
        """Complete the options."""

    def iiswsgi(self, *arguments: str) -> None:
        """Run ``iiswsgi`` with these arguments, and with what this distribution says of itself.

        Raises `distutils.errors.DistutilsExecError` where it fails; it has said why.
        """
        self.run_command("egg_info")
        egg_info = os.path.abspath(self.get_finalized_command("egg_info").egg_info)
        # setup.py's own -q and -v, of which one -v is the default.
        verbose = int(getattr(self.distribution, "verbose", 1))
        said = ["-q"] if verbose < 1 else ["-v"] * min(verbose - 1, 3)
        self.announce("running iiswsgi " + " ".join(arguments), level=2)
        if self.dry_run_asked():
            return
        if _iiswsgi.main(["iiswsgi", *said, *arguments], egg_info):
            raise DistutilsExecError(f"iiswsgi {' '.join(arguments[:2])} failed; see above")

    def dry_run_asked(self) -> bool:
        """Whether setup.py was told to change nothing (``--dry-run``, which newer versions of setuptools no longer have)."""
        return bool(getattr(self.distribution, "dry_run", False) or getattr(self, "dry_run", False))

    def stem(self) -> str:
        """What the files of the distribution begin with."""
        return _iiswsgi.distribution_stem(self.distribution.get_name(), self.distribution.get_version())

    def add_dist_file(self, path: str) -> None:
        """Record a file that was made, for the commands that upload such files."""
        self.distribution.dist_files.append((self.get_command_name(), "any", path))


def dist_folder(command: Any) -> str:
    """The folder for distributions: ``dist_dir``, which ``bdist`` and ``sdist`` have too."""
    return command.dist_dir or "dist"
