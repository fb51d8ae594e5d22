"""What code and documents cite is in the repository: a reader who has nothing else can follow it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.delivery.account import Account
from shared.delivery.destination import Destination
from shared.sources.source import Source
from tests.infra.compiler import INFRA

ROOT = INFRA.parent
TEXTS = (".py", ".md", ".yaml", ".toml", ".bicep", ".json")
CITED = re.compile(r"(?<![\w/.:-])((?:docs|bench|infra|tests|local|shared|cli)/[\w./-]+\.(?:md|py|yaml|bicep|kql))\b")
ELSEWHERE = re.compile(r"\bcontract\.md\b|\breference/(?:autopilot|customer|azure-functions|ortto|console|taste|peers)")


FOLDERS = ("bench", "cli", "docs", "export_trigger", "export_worker", "infra", "local", "shared", "tests")


def texts() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))]
    return [file for file in found if file.suffix in TEXTS and file != Path(__file__)]


def test_a_file_that_is_cited_is_there() -> None:
    """Documents name tests by their place in tests/."""
    missing = [
        (str(file.relative_to(ROOT)), cited)
        for file in texts()
        for cited in CITED.findall(file.read_text())
        if (file.suffix == ".md" or cited.startswith("docs/"))
        and not (ROOT / cited).exists()
        and not (ROOT / "tests" / cited).exists()
    ]
    assert missing == []


def test_nothing_cites_what_the_repository_does_not_have() -> None:
    assert [file for file in texts() if ELSEWHERE.search(file.read_text())] == []


@pytest.mark.parametrize(
    ("page", "port"), [("destinations", Destination), ("destinations", Account), ("sources", Source)]
)
def test_who_adds_a_system_is_told_all_that_it_must_have(page: str, port: type) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    members = [name for name in vars(port) if not name.startswith("_") and callable(getattr(port, name, None))]
    members += [name for name, member in vars(port).items() if isinstance(member, property)]
    assert len(members) > 4
    assert [name for name in members if f"`{name}`" not in text] == []
