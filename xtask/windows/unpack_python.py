"""Takes CPython's DLL and extension modules out of a panda3d wheel, which carries those of python.org for its own use.

Left out: what Wine has itself (api-ms-*, vcruntime), Tcl/Tk, tests, and _wmi, which needs a function that Wine 8 lacks.
"""

import pathlib
import sys
import zipfile

LEFT_OUT = ("api-ms", "vcruntime", "tcl", "tk", "_tkinter", "winsound", "_test", "_wmi")

wheel, folder, version = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
(folder / "DLLs").mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(wheel) as archive:
    for path in map(pathlib.PurePosixPath, archive.namelist()):
        wanted = str(path.parent) == "deploy_libs" and path.suffix in (".dll", ".pyd")
        if not wanted or path.name.lower().startswith(LEFT_OUT) or f".cp{version}t-" in path.name:
            continue
        target = folder if path.name == f"python{version}.dll" else folder / "DLLs"
        (target / path.name).write_bytes(archive.read(str(path)))
