"""Keyword arguments of ``setup()``, and where they are written for the commands."""

import json
import os
from typing import Any

# The keywords, and whether each is a list of strings.
KEYWORDS = {
    "title": False,
    "author_url": False,
    "license_url": False,
    "display_url": False,
    "help_url": False,
    "published": False,
    "icon_url": False,
    "screenshot_url": False,
    "discovery_file": False,
    "msdeploy_url_template": False,
    "install_msdeploy": True,
    "install_webpi": True,
    "webpi_eggs": True,
}

# Lists that iiswsgi 0.3 read from `extras_require`.
EXTRAS = ("install_msdeploy", "install_webpi", "webpi_eggs")


def check(dist: Any, keyword: str, value: Any) -> None:
    """Refuse a value of a wrong type (``distutils.setup_keywords``). Contents are checked by the commands."""
    # setuptools' own distutils, whichever version it is.
    import setuptools  # noqa: F401
    from distutils.errors import DistutilsSetupError

    if value is None:
        return
    if KEYWORDS[keyword]:
        if isinstance(value, str) or not all(isinstance(item, str) for item in _items(value)):
            raise DistutilsSetupError(
                f"setup(): `{keyword}` must be a list of strings, not {value!r}; write `{keyword}=[\"…\"]`"
            )
    elif not isinstance(value, str) or not value.strip():
        what = "is empty" if isinstance(value, str) else f"must be a string, not {value!r}"
        raise DistutilsSetupError(f"setup(): `{keyword}` {what}; give it a value, or leave it out")


def _items(value: Any) -> list[Any]:
    try:
        return list(value)
    except TypeError:
        return [None]


def settings(dist: Any) -> dict[str, Any]:
    """The settings that a distribution's ``setup()`` was given, by their names in ``[tool.iiswsgi]``."""
    found: dict[str, Any] = {}
    extras = getattr(dist, "extras_require", None) or {}
    for keyword, is_list in KEYWORDS.items():
        value = getattr(dist, keyword, None)
        if not value and keyword in EXTRAS:
            value = extras.get(keyword)
        if value:
            found[keyword.replace("_", "-")] = list(value) if is_list else value
    return found


def write(command: Any, basename: str, filename: str) -> None:
    """Write the settings into the ``.egg-info`` folder (``egg_info.writers``)."""
    # JSON's strings and lists of strings are TOML's too.
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in settings(command.distribution).items()
    ]
    command.write_or_delete_file("iiswsgi's settings", filename, "".join(lines))


def add_build_msdeploy(dist: Any) -> None:
    """Make ``build_msdeploy`` a part of ``build`` in projects with a Manifest.xml template."""
    from setuptools import Command

    try:
        from setuptools.command.build import build
    except ImportError:  # before setuptools 62.4
        from distutils.command.build import build  # type: ignore[assignment]

    def has_manifest(command: Command) -> bool:
        return any(os.path.exists(name) for name in ("Manifest.xml.in", "Manifest.xml.hbs"))

    if not any(name == "build_msdeploy" for name, _ in build.sub_commands):
        build.sub_commands = [*build.sub_commands, ("build_msdeploy", has_manifest)]
