"""Makes a Pyramid project from a scaffold: the set-up step of its own that this package has.

``python setup_project.py`` reads the files in ``parameters``, copies ``scaffolds/SCAFFOLD`` beside
itself and fills in the project's name: ``__project__`` in file names, ``{{project}}`` in texts.
Files that exist are kept, so that it can run again. ``--check`` loads the finished application as
the gateway will, and requests its first page.
"""

import argparse
import importlib.util
import keyword
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = re.compile(r"\{\{(\w+)\}\}")


def read_parameter(folder, name):
    """One of the values that Web Deploy wrote."""
    path = os.path.join(folder, "parameters", name + ".txt")
    try:
        with open(path, encoding="utf-8-sig") as file:
            return path, file.read().strip()
    except OSError as error:
        sys.exit("cannot read %s: %s" % (path, error.strerror))


def read_project(folder):
    """The project's name and its scaffold, checked."""
    path, name = read_parameter(folder, "project_name")
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        advice = "use lower-case letters, digits and underscores"
        sys.exit("%s: %r cannot be a Python package's name; %s" % (path, name, advice))
    # A package that is called like a module of Python's own or of the project's would hide it.
    if importlib.util.find_spec(name) and not os.path.isdir(os.path.join(folder, name)):
        sys.exit("%s: there is a module %r already; take another name" % (path, name))
    path, scaffold = read_parameter(folder, "scaffold")
    known = sorted(os.listdir(os.path.join(folder, "scaffolds")))
    if scaffold not in known:
        sys.exit("%s: there is no scaffold %r; there are %s" % (path, scaffold, ", ".join(known)))
    return name, scaffold


def scaffold_files(folder):
    """Every file of a scaffold, relative to it."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            yield os.path.relpath(os.path.join(parent, name), folder)


def fill_in(text, values, path):
    """The text with its marks replaced."""

    def value(match):
        if match[1] not in values:
            sys.exit("%s: {{%s}} is not known" % (path, match[1]))
        return values[match[1]]

    return MARK.sub(value, text)


def write(path, text):
    """Writes a whole file or none."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".setup-")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        # mkstemp makes files that only their owner can read; the worker process is someone else.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def make(folder):
    """Makes the project; files that are there already are kept."""
    name, scaffold = read_project(folder)
    source = os.path.join(folder, "scaffolds", scaffold)
    for relative in scaffold_files(source):
        target = os.path.join(folder, relative.replace("__project__", name))
        if os.path.exists(target):
            print("kept", os.path.relpath(target, folder))
            continue
        path = os.path.join(source, relative)
        with open(path, encoding="utf-8", newline="") as file:
            write(target, fill_in(file.read(), {"project": name}, path))
        print("made", os.path.relpath(target, folder))


def check(folder):
    """Requests the first page of the finished application, in this process."""
    from paste.deploy import loadapp
    from webob import Request

    sys.path.insert(0, folder)
    response = Request.blank("/").get_response(
        loadapp("config:" + os.path.join(folder, "production.ini"))
    )
    print("/ answered", response.status)
    if response.status_int != 200:
        sys.exit(response.text)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="request the first page of the finished application"
    )
    if parser.parse_args().check:
        check(HERE)
    else:
        make(HERE)


if __name__ == "__main__":
    main()
