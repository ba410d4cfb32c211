import sys

import pytest
from windows import succeed


@pytest.fixture(scope="session", autouse=True)
def windows():
    """None of the tests says anything where it does not run in a CPython for Windows."""
    assert sys.platform == "win32" and sys.implementation.name == "cpython"


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """The console scripts of the wheel, in a virtual environment with nothing else."""
    environment = tmp_path_factory.mktemp("scripts") / "env"
    succeed(sys.executable, "-m", "venv", environment)
    succeed(environment / "Scripts" / "python.exe", "-m", "pip", "install", "--quiet", "iiswsgi")
    return environment / "Scripts"
