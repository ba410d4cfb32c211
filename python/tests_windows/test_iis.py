"""A machine with IIS: programs of ours in place of appcmd.exe and icacls.exe, and the real registry and permissions."""

import ctypes
import json
import os
import shutil
import sys
import winreg
from ctypes import wintypes

import pytest
from windows import EXAMPLES, run, succeed

PARAMETERS = r"SYSTEM\CurrentControlSet\Services\W3SVC\Parameters"
SETUP = r"SOFTWARE\Microsoft\InetStp"
EXPRESS = r"SOFTWARE\Microsoft\IISExpress"

HOST = """<configuration>
  <system.applicationHost>
    <applicationPools><add name="Blog" /></applicationPools>
    <sites>
      <site name="Blog" id="1">
        <application path="/" applicationPool="Blog"><virtualDirectory path="/" physicalPath="{folder}" /></application>
      </site>
    </sites>
  </system.applicationHost>
  <system.webServer>
    <globalModules><add name="FastCgiModule" image="iisfcgi.dll" /></globalModules>
    <fastCgi><application fullPath="{python}" arguments="-m iiswsgi serve app" /></fastCgi>
  </system.webServer>
</configuration>
"""
APPLICATION = '<application path="/" applicationPool="Blog"><virtualDirectory path="/" physicalPath="{folder}" /></application>'
SITES = '<appcmd><SITE SITE.NAME="Blog" SITE.ID="7"><site name="Blog" id="7">{application}</site></SITE></appcmd>'
CONFIG = '<appcmd><CONFIG CONFIG.SECTION="system.webServer/fastCgi"><system.webServer-fastCgi>{registered}</system.webServer-fastCgi></CONFIG></appcmd>'


class Iis:
    """A folder that is %windir% to what is started, with an IIS in it."""

    def __init__(self, folder):
        self.windir = folder / "windows"
        self.answers = folder / "answers"
        self.site = folder / "it's a site 日本"
        inetsrv = self.windir / "System32" / "inetsrv"
        (inetsrv / "config").mkdir(parents=True)
        self.answers.mkdir()
        self.site.mkdir()
        program = os.environ["IISWSGI_TEST_STAND_IN_PROGRAM"]
        shutil.copy(program, inetsrv / "appcmd.exe")
        shutil.copy(program, self.windir / "System32" / "icacls.exe")
        self.register("")
        self.write("site.xml", SITES, application=APPLICATION.format(folder=self.site))
        host = HOST.format(folder=self.site, python=sys.executable)
        (inetsrv / "config" / "applicationHost.config").write_text(host, encoding="utf-8")

    def write(self, name, text, **parts):
        (self.answers / name).write_text(text.format(**parts), encoding="utf-8")

    def register(self, applications):
        self.write("config.xml", CONFIG, registered=applications)

    def environment(self, keep=()):
        """What a service has that has no profile, and the variables that are to be kept."""
        names = ["SystemRoot", "SystemDrive", "PATH", "PIP_NO_INDEX", "PIP_FIND_LINKS", *keep]
        known = {name: os.environ[name] for name in names if name in os.environ}
        return {**known, "windir": str(self.windir), "IISWSGI_TEST_STAND_IN": str(self.answers)}

    def iiswsgi(self, *arguments):
        return run(sys.executable, "-m", "iiswsgi", *arguments, env=self.environment())

    def recorded(self, program):
        """The command lines since the last time, those that only list left out."""
        log = self.answers / f"{program}.log"
        if not log.exists():
            return []
        commands = [command.splitlines() for command in log.read_text(encoding="utf-8").split("--\n")[:-1]]
        log.unlink()
        return [command for command in commands if command[0] != "list"]


@pytest.fixture
def iis(tmp_path):
    return Iis(tmp_path)


@pytest.fixture
def registry():
    """Sets values of keys that IIS would have: this is a machine without IIS, and is one again afterwards."""
    made = []

    def value(root, path, name, kind, data):
        try:
            winreg.OpenKey(root, path).Close()
        except FileNotFoundError:
            made.append((root, path))
        with winreg.CreateKey(root, path) as key:
            if name:
                winreg.SetValueEx(key, name, 0, kind, data)

    for path in [PARAMETERS, SETUP]:
        with pytest.raises(FileNotFoundError):
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path)
    yield value
    for root, path in made:
        winreg.DeleteKey(root, path)


def codes(report):
    return [finding["code"] for finding in json.loads(report)["findings"]]


def allow(path, *accounts):
    """Sets who may do everything with a file or folder; the system always may."""
    text = "D:P" + "".join(f"(A;OICI;FA;;;{account})" for account in ("SY", *accounts))
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    parse = advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW
    parse.argtypes = [wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p]
    assert parse(text, 1, ctypes.byref(descriptor), None)
    advapi32.SetFileSecurityW.argtypes = [wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p]
    assert advapi32.SetFileSecurityW(str(path), 4, descriptor), ctypes.get_last_error()


def test_appcmd_of_the_machine_is_asked_and_told(iis):
    keys = ["--full-path", r"C:\it's\python.exe", "--arguments", r'-u "C:\my app\app.py"']
    code, stdout, stderr = iis.iiswsgi("iis", "enable", *keys, "--set", "maxInstances=3")
    assert code == 0 and "inetsrv" in stderr, stdout + stderr
    [command] = iis.recorded("appcmd")
    key = r"[fullPath='C:\it%u0027s\python.exe',arguments='-u %u0022C:\my app\app.py%u0022'"
    assert command[:3] == ["set", "config", "-section:system.webServer/fastCgi"]
    assert command[3].startswith(f"/+{key}") and "maxInstances='3'" in command[3]
    assert command[-1] == "/commit:apphost"

    registered = r'<application fullPath="C:\it&apos;s\python.exe" arguments="-u &quot;C:\my app\app.py&quot;" maxInstances="3" />'
    iis.register(registered)
    code, stdout, stderr = iis.iiswsgi("iis", "list", "--format", "json")
    [application] = json.loads(stdout)["applications"]
    assert application["full_path"] == r"C:\it's\python.exe", stdout
    code, stdout, stderr = iis.iiswsgi("iis", "disable", *keys)
    assert code == 0, stderr
    [command] = iis.recorded("appcmd")
    assert command[3] == f"/-{key}]"


def test_the_doctor_asks_the_registry(iis, registry):
    machine, utf_8 = winreg.HKEY_LOCAL_MACHINE, "iis-utf8-variables"
    for prepare, expected in [
        (None, [f"{utf_8}-not-checked"]),
        ((machine, PARAMETERS, None, None, None), [f"{utf_8}-missing"]),
        (
            (machine, PARAMETERS, "FastCGIUtf8ServerVariables", winreg.REG_MULTI_SZ, ["REQUEST_URI", "PATH_INFO"]),
            [],
        ),
    ]:
        if prepare:
            registry(*prepare)
        code, stdout, stderr = iis.iiswsgi("iis", "doctor", "--format", "json")
        assert [found for found in codes(stdout) if found.startswith(utf_8)] == expected, stdout + stderr
    assert "this is IIS" not in stderr
    registry(machine, SETUP, "MajorVersion", winreg.REG_DWORD, 10)
    registry(machine, SETUP, "MinorVersion", winreg.REG_DWORD, 0)
    _, _, stderr = iis.iiswsgi("iis", "doctor")
    assert "this is IIS 10.0" in stderr


def test_the_doctor_reads_who_may_read(iis):
    unreadable = "iis-folder-unreadable"
    allow(iis.site, "WD")
    _, stdout, _ = iis.iiswsgi("iis", "doctor", "--format", "json")
    assert unreadable not in codes(stdout), stdout
    allow(iis.site)
    try:
        code, stdout, _ = iis.iiswsgi("iis", "doctor", "--format", "json")
        assert code == 1 and unreadable in codes(stdout), stdout
        _, stdout, _ = iis.iiswsgi("iis", "doctor")
        assert f'icacls "{iis.site}" /grant "IIS AppPool\\Blog:(OI)(CI)(RX)"' in stdout, stdout
    finally:
        allow(iis.site, "WD")


def test_iis_express_is_found_where_the_user_has_moved_it(tmp_path, registry):
    moved = tmp_path / "moved 日本" / "config"
    moved.mkdir(parents=True)
    (moved / "applicationhost.config").write_text("<configuration />")
    environment = {"SystemRoot": os.environ["SystemRoot"], "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "iiswsgi", "iis", "list"]
    code, _, stderr = run(*command, env=environment)
    assert code == 1 and "neither IIS nor a configuration of IIS Express" in stderr
    registry(winreg.HKEY_CURRENT_USER, EXPRESS, "CustomUserHome", winreg.REG_SZ, str(moved.parent))
    code, _, stderr = run(*command, env=environment)
    assert code == 0 and str(moved / "applicationhost.config") in stderr, stderr


def test_a_run_command_finds_its_application_and_lets_the_pool_read_it(iis, scripts):
    """As Web Deploy starts it: in system32, without a word of which application, as an account without a profile."""
    shutil.copytree(EXAMPLES / "sample.msdeploy", iis.site, dirs_exist_ok=True)
    other = iis.site.with_name("other")
    other.mkdir()
    (iis.site / "iis_install.stamp").write_text("")
    # %SystemDrive% is expanded, and case does not matter; what was added last has no stamp.
    physical_path = str(iis.site).replace(iis.site.drive, "%systemdrive%" if iis.site.drive == os.environ["SystemDrive"] else iis.site.drive)
    second = APPLICATION.format(folder=other).replace('path="/" a', 'path="/other" a')
    iis.write("site.xml", SITES, application=APPLICATION.format(folder=physical_path.upper()) + second)
    system = os.path.join(os.environ["SystemRoot"], "system32")
    environment = iis.environment()
    for name in ["USERPROFILE", "APPDATA", "LOCALAPPDATA", "HOME", "TEMP", "TMP"]:
        assert name not in environment
    code, stdout, stderr = run(scripts / "iiswsgi_install.exe", folder=system, env=environment)
    assert code == 0, stdout + stderr
    assert os.path.samefile(stdout.strip(), iis.site), stdout
    assert not (iis.site / "iis_install.stamp").exists()
    assert (iis.site / "web.config").is_file()
    [added] = iis.recorded("appcmd")
    assert added[3].startswith("/+[fullPath='") and "%u0022" in added[3], added
    [[folder, *grant]] = iis.recorded("icacls")
    assert os.path.samefile(folder, iis.site)
    assert grant == ["/grant", r"IIS AppPool\Blog:(OI)(CI)(RX)", "/Q"]


def test_a_run_command_without_an_application_says_what_it_needs(scripts):
    system = os.path.join(os.environ["SystemRoot"], "system32")
    code, stdout, stderr = run(scripts / "iiswsgi_install.exe", "-e", folder=system)
    assert code != 0
    assert "APPL_PHYSICAL_PATH" in stderr or "iis_install.stamp" in stderr, stdout + stderr
