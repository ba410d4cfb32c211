"""The ``iiswsgi`` command called as functions."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional, Union

from . import _iiswsgi

Path = Union[str, "os.PathLike[str]"]
"""A path of this machine, or where a command takes them, a URL."""

Values = Union[Iterable[str], Mapping[str, str]]
"""``NAME=VALUE`` each, or a mapping of names to values."""

Report = dict[str, Any]
"""What a command reports, as its ``--format json`` has it."""


class Problem(NamedTuple):
    """What was wrong, and where."""

    message: str
    severity: str = "error"
    """``error``, ``warning`` or ``note``."""
    code: Optional[str] = None
    """The code, which docs/findings.md explains."""
    file: Optional[str] = None
    line: Optional[int] = None
    """From 1."""
    column: Optional[int] = None
    """From 1, in characters."""
    help: Optional[str] = None
    """What to do."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        code = f"{self.severity}[{self.code}]" if self.code else self.severity
        text = f"{place}: {code}: {self.message}" if place else f"{code}: {self.message}"
        return f"{text}\n  help: {self.help}" if self.help else text


class Error(Exception):
    """A command has failed.

    ``problems`` says what was wrong, ``exit_status`` is that of the command, and ``report`` its result where there is one, for
    example of a check that has found errors.
    """

    def __init__(self, problems: list[Problem], exit_status: int, report: Optional[Report]) -> None:
        super().__init__(problems, exit_status, report)
        self.problems = problems
        self.exit_status = exit_status
        self.report = report

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems)) or "errors were found: see `report`"


_ARGUMENTS: dict[str, list[dict[str, Any]]] = {}


def arguments(command: str) -> list[dict[str, Any]]:
    """The arguments of a subcommand, as the command itself has them."""
    if not _ARGUMENTS:
        _ARGUMENTS.update(json.loads(_iiswsgi.arguments()))
    return _ARGUMENTS[command]


def parameter(argument: Mapping[str, Any]) -> str:
    """The name of the parameter that gives an argument."""
    flag = argument["flag"]
    return str(flag.lstrip("-").replace("-", "_") if flag else argument["name"])


def command_line(command: str, given: Mapping[str, Any]) -> list[str]:
    """The command line of a subcommand with the values of its parameters; None, False and nothing in a list are left out."""
    options: list[str] = []
    positional: list[str] = []
    for argument in arguments(command):
        value = given[parameter(argument)]
        if value is None or value is False:
            continue
        flag = argument["flag"]
        if not argument["takes_value"]:
            options.append(flag)
            continue
        if isinstance(value, Mapping):
            value = [f"{name}={text}" for name, text in value.items()]
        elif not argument["many"] or isinstance(value, (str, os.PathLike)):
            value = [value]
        texts = [os.fspath(item) if isinstance(item, os.PathLike) else str(item) for item in value]
        if flag:
            options += [f"{flag}={text}" for text in texts]
        else:
            positional += texts
    return ["iiswsgi", *command.split(), *options, *(["--", *positional] if positional else [])]


def call(command: str, given: Mapping[str, Any]) -> Report:
    """Run a subcommand in this process, and return its report.

    Raises `Error` where the exit status would not be 0.
    """
    status, report, told = _iiswsgi.call(command_line(command, given))
    found: Report = json.loads(report) if report else {}
    if status:
        fields = Problem._fields
        problems = [Problem(**{name: problem.get(name) for name in fields if name in problem}) for problem in json.loads(told)]
        raise Error(problems, status, found or None)
    return found
