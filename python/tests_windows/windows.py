"""What the tests of Windows start and look at."""

import http.client
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(*command, folder=None, env=None):
    """Runs a program to its end: exit code, standard output and standard error."""
    process = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
    )
    return process.returncode, process.stdout, process.stderr


def succeed(*command, **options):
    """What a program writes; it has to succeed."""
    code, stdout, stderr = run(*command, **options)
    assert code == 0, f"{command} ended with {code}\n{stdout}{stderr}"
    return stdout


def iiswsgi(*arguments, folder=None, **variables):
    """What the command of the installed wheel writes; it has to succeed."""
    return succeed(sys.executable, "-m", "iiswsgi", *arguments, folder=folder, env={**os.environ, **variables})


def package(project):
    """Makes a project's package and feed, and returns the feed's URL."""
    iiswsgi("msdeploy", "build", project)
    iiswsgi("msdeploy", "package", project)
    return iiswsgi("webpi", "feed", project, "-u", "{msdeploy_package_url}").strip()


class DevServer:
    """`iiswsgi dev` with a site root."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.stderr = open(folder / "stderr", "wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iiswsgi", "dev", str(folder), "--port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
        )
        line = self.process.stdout.readline().decode()
        assert "http://" in line, self.logs()
        self.address = line.split("http://")[1].split("/")[0]

    def request(self, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=120)
        connection.request("GET" if body is None else "POST", path, body)
        return connection.getresponse()

    def get(self, path, body=None):
        response = self.request(path, body)
        page = response.read().decode()
        assert response.status == 200, page + self.logs()
        return page

    def logs(self):
        files = [path for path in self.folder.rglob("*") if path.is_file() and (path.suffix == ".log" or path.name == "stderr")]
        return "\n".join(f"{path}:\n{path.read_text(encoding='utf-8', errors='replace')}" for path in files)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()
