/* python.exe: what CPython's own does, with the name of its DLL given as PYTHON_DLL. */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
    HMODULE library = LoadLibraryW(PYTHON_DLL);
    int (*py_main)(int, wchar_t **) = library ? (void *)GetProcAddress(library, "Py_Main") : NULL;

    if (!py_main) {
        fprintf(stderr, "cannot load %ls: error %lu\n", PYTHON_DLL, GetLastError());
        return 127;
    }
    return py_main(argc, argv);
}
