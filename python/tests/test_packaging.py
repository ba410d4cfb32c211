"""What the wheel and the workflow that builds it say of themselves."""

import importlib.metadata
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).parent.parent.parent


def test_the_wheel_has_its_licences_and_its_entry_points():
    distribution = importlib.metadata.distribution("iiswsgi")
    assert distribution.metadata["License-Expression"] == "MIT OR Apache-2.0"
    names = {path.name for path in distribution.files}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "py.typed", "_iiswsgi.pyi"} <= names
    scripts = {point.name for point in distribution.entry_points if point.group == "console_scripts"}
    assert scripts == {"iiswsgi", "iiswsgi_install", "iiswsgi_webpi", "wfastcgi-enable", "wfastcgi-disable"}
    for point in distribution.entry_points:
        assert callable(point.load()), point


def test_the_workflow_builds_for_every_system_and_tests_every_cpython():
    workflow = yaml.safe_load((ROOT / ".github/workflows/wheels.yml").read_text())
    jobs = workflow["jobs"]
    targets = [entry["target"] for entry in jobs["wheel"]["strategy"]["matrix"]["include"]]
    assert [target.rpartition("-")[0].split("-")[-1] for target in targets] == ["windows", "linux", "linux", "apple"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.9", "3.10", "3.11", "3.12", "3.13"]
    windows = (ROOT / "xtask/src/windows/python.rs").read_text()
    assert set(re.findall(r'name: "(3\.\d+)"', windows)) <= set(jobs["windows"]["strategy"]["matrix"]["python"])
    crates = re.search(r"const CRATES: \[&str; \d+\] = \[(.*?)\]", (ROOT / "xtask/src/windows.rs").read_text(), re.DOTALL).group(1)
    [command] = [step["run"] for step in jobs["windows-crates"]["steps"] if "run" in step]
    assert re.findall(r"-p (\S+)", command) == re.findall(r'"([^"]+)"', crates)
    for job in jobs.values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "@" in step.get("uses", "@"), step
        assert all(need in jobs for need in ([job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])))
