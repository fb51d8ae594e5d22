"""README's blocks, as they stand there, pasted line by line by somebody who has just cloned the repository."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0
SHARED = (".venv", "cli", "docs", "export_trigger", "export_worker", "function_app.py", "host.json", "local", "shared")

WARNED = {"run": 1}
"""Commands that end with 1 as README says: some of the made-up people cannot be delivered."""


def block_with(words: str) -> list[str]:
    """Return the lines of the shell block of README.md that holds these words."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return next(block.splitlines() for block in blocks if words in block)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a folder with the code, what `local/install` puts into it, and nothing that ran."""
    for name in (*SHARED, "local.settings.json", "Makefile"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local").mkdir()
    for name in ("azurite", "kusto", "installed"):
        (tmp_path / ".local" / name).symlink_to(ROOT / ".local" / name)
    return tmp_path


@pytest.fixture
def stack(clone: Path) -> Iterator[Path]:
    """Run the stack as `make run` does, until it says that it is up."""
    environment = {**os.environ, "PYTHONPATH": str(clone), "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [".venv/bin/python", "-m", "local.run"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert any("what there is to export" in line for line in running.stdout), running.returncode
        yield clone
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=PATIENCE)


def paste(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Return a line to a shell, as a terminal of 80 columns does."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_use_it_as_pasted_works_from_the_first_minute(stack: Path) -> None:
    lines = block_with("cli segments")
    assert len(lines) >= 8
    said: dict[str, str] = {}
    for line in lines:
        command = re.search(r"-m (?:cli )?([\w.]+)", line)
        assert command is not None, line
        done = paste(stack, line)
        assert done.returncode == WARNED.get(command[1], 0), (line, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        said[command[1]] = done.stdout
    assert "LoyaltyGold" in said["segments"]
    assert "Sandbox Account" in said["connect"]
    assert "runs with the next refresh" in said["export"]
    assert "Nothing was sent" in said["preview"]
    assert "Completed with warnings" in said["run"]
    assert "email_invalid" in said["rejected"]
    assert "lists_equal" in said["verify"]
    table = paste(stack, ".venv/bin/python -m cli runs loyalty").stdout
    assert re.search(r"^\d{8}t\d{9}-[0-9a-f]{4} +loyalty +Completed with warnings", table, re.MULTILINE)


def test_the_two_commands_are_those_of_the_makefile() -> None:
    made = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in block_with("make demo"):
        assert line.split()[1] in made
