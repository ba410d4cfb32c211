"""Hides from shutil the function CopyFile2, which Wine 8 lacks and CPython 3.12 and later call where they have it."""

import _winapi

if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
