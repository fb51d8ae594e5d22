"""A release: what is in it belongs together."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from export_trigger.http.version import VERSION
from local import release
from local.package import ROOT
from tests.infra.compiler import INFRA, Compiler


def test_health_tells_the_version_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_template_of_a_release_deploys_its_package(bicep: Compiler) -> None:
    package = "https://github.com/a/b/releases/download/v1/segment-export.zip"
    made = release.compiled(package)
    ours: dict[str, Any] = dict(bicep.compile(INFRA / "main.bicep").template)
    assert made["parameters"].pop("packageUri")["defaultValue"] == package
    ours["parameters"] = {name: found for name, found in ours["parameters"].items() if name != "packageUri"}
    assert made == ours


def test_the_button_leads_the_portal_to_the_template_that_the_workflow_publishes() -> None:
    said = release.notes("owner/name", "v1.2.3")
    (link,) = [part.partition(")")[0] for part in said.split("](") if part.startswith("https://portal.azure.com")]
    assert unquote(link).endswith("/uri/https://raw.githubusercontent.com/owner/name/templates/v1.2.3.json")
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    (job,) = workflow["jobs"].values()
    published = [step["run"] for step in job["steps"] if "templates" in step.get("run", "")]
    assert len(published) == 1
    assert "contents/$GITHUB_REF_NAME.json" in published[0]


def test_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "two.txt").write_text("2")
    (tmp_path / release.CHECKSUMS).write_text(release.checksums(tmp_path))
    program = shutil.which("sha256sum") or "sha256sum"
    command = [program, "--check", "--strict", release.CHECKSUMS]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "two.txt").write_text("3")
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 1


def test_a_tag_that_is_not_the_apps_version_makes_no_release(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", ["release", "--tag", "v99.0.0"])
    assert release.main() == 1
    assert f"the app says {VERSION}" in capsys.readouterr().err
