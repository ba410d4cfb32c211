"""Asks a project's build backend for its metadata (PEP 517).

argv: the folder to write into, the backend as ``module[:object]``, the folders of ``backend-path``.
The working directory is the project's folder. The last line of standard output is the path of the
METADATA file.

With ``--requires`` in place of the folder: what the backend wants installed before it is asked,
one requirement a line.
"""

import importlib
import os
import sys
import zipfile


def load_backend(reference, backend_path):
    # PEP 517: the project's folder itself must not be importable, only what backend-path names.
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != os.getcwd()]
    sys.path[:0] = [os.path.abspath(folder) for folder in backend_path]
    module, _, attributes = reference.partition(":")
    backend = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    return backend


def metadata_path(backend, folder):
    hook = getattr(backend, "prepare_metadata_for_build_wheel", None)
    if hook is not None:
        return os.path.join(folder, hook(folder), "METADATA")
    # The hook is optional; build_wheel is not.
    wheel = os.path.join(folder, backend.build_wheel(folder))
    with zipfile.ZipFile(wheel) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.count("/") == 1 and name.endswith(".dist-info/METADATA")
        ]
        if len(names) != 1:
            raise RuntimeError("%s has %d METADATA files" % (wheel, len(names)))
        path = os.path.join(folder, "METADATA")
        with open(path, "wb") as file:
            file.write(archive.read(names[0]))
    return path


def requirements(backend):
    hook = getattr(backend, "get_requires_for_build_wheel", None)
    return list(hook()) if hook is not None else []


def metadata(backend, folder):
    folder = os.path.abspath(folder)
    os.makedirs(folder, exist_ok=True)
    path = metadata_path(backend, folder)
    if not os.path.isfile(path):
        raise RuntimeError("the backend wrote no METADATA")
    return [path]


def main(folder, reference, *backend_path):
    # Backends print; the caller wants one line. The file descriptor is turned round so that their
    # child processes are caught too.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.argv[:] = ["setup.py"]
    try:
        backend = load_backend(reference, backend_path)
        lines = requirements(backend) if folder == "--requires" else metadata(backend, folder)
    except ImportError as error:
        sys.exit("cannot import the build backend %s: %s" % (reference, error))
    except Exception as error:
        sys.exit("the build backend %s failed: %s: %s" % (reference, type(error).__name__, error))
    print(*lines, sep="\n", file=answer, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
