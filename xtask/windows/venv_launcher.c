/*
 * The python.exe of a virtual environment, which the module venv copies on Windows: it starts the Python that pyvenv.cfg names,
 * with the handles and arguments that it has itself, and tells it by __PYVENV_LAUNCHER__ where the environment is.
 */
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { PATH_MAX_LEN = 32768 };

static int fail(const char *what)
{
    fprintf(stderr, "%s: error %lu\n", what, GetLastError());
    return 127;
}

/* The value of `executable` in pyvenv.cfg, which is UTF-8 and lies one folder above. */
static int base_executable(wchar_t *launcher, wchar_t *executable)
{
    static char line[PATH_MAX_LEN];
    static wchar_t path[PATH_MAX_LEN + 16];
    wchar_t *end;
    FILE *file;
    int n, found = 0;

    wcscpy(path, launcher);
    for (n = 0; n < 2; n++)
        if ((end = wcsrchr(path, L'\\')))
            *end = 0;
    wcscat(path, L"\\pyvenv.cfg");
    if (!(file = _wfopen(path, L"rb")))
        return 0;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, "executable = ", 13) == 0)
            found = MultiByteToWideChar(CP_UTF8, 0, line + 13, -1, executable, PATH_MAX_LEN) != 0;
    }
    fclose(file);
    return found;
}

/* The command line behind the program's own name. */
static wchar_t *arguments(wchar_t *line)
{
    int quoted = 0;

    for (; *line && (quoted || (*line != L' ' && *line != L'\t')); line++)
        if (*line == L'"')
            quoted = !quoted;
    return line;
}

int wmain(void)
{
    static wchar_t launcher[PATH_MAX_LEN], executable[PATH_MAX_LEN], line[2 * PATH_MAX_LEN];
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD status;
    HANDLE job;

    if (!GetModuleFileNameW(NULL, launcher, PATH_MAX_LEN) || !base_executable(launcher, executable))
        return fail("cannot read pyvenv.cfg");
    SetEnvironmentVariableW(L"__PYVENV_LAUNCHER__", launcher);
    _snwprintf(line, 2 * PATH_MAX_LEN - 1, L"\"%ls\"%ls", executable, arguments(GetCommandLineW()));
    /* What it starts ends with it. */
    job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    GetStartupInfoW(&startup);
    if (!CreateProcessW(executable, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return fail("cannot start Python");
    AssignProcessToJobObject(job, process.hProcess);
    WaitForSingleObject(process.hProcess, INFINITE);
    return GetExitCodeProcess(process.hProcess, &status) ? (int)status : fail("cannot wait for Python");
}
