"""Local tools started as a person starts them, in a checkout of their own; and what runs under them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 90.0

STARTED: Final[list[subprocess.Popen[str]]] = []
"""What the test that runs has started."""


def checkout(at: Path) -> Path:
    """Make a checkout of one's own: the code, and nothing that ran before."""
    for part in (
        "local",
        "cli",
        "console",
        "shared",
        "export_trigger",
        "export_worker",
        "function_app.py",
        "host.json",
    ):
        (at / part).symlink_to(ROOT / part)
    (at / "local.settings.json").symlink_to(ROOT / "local.settings.json")
    return at


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """Read on until a line holds the words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"{words!r} never came: {process.communicate()}")


def everything_under(process: subprocess.Popen[str]) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return found


def all_gone(processes: list[psutil.Process], seconds: float = PATIENCE) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive
