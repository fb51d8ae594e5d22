"""Microsoft's Bicep compiler: where it is, and the template that it makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.package import ROOT

NEARBY: Final = ROOT.parent / "shared/tools/bicep"
ABSENT: Final = "no Bicep compiler: bicep is neither on PATH nor in ../shared/tools"


class NotCompiled(Exception):
    """The template cannot be compiled; the text is the compiler's own."""


def find() -> str | None:
    """Return the compiler's path, if there is one."""
    return shutil.which("bicep") or (str(NEARBY) if NEARBY.is_file() else None)


def environment() -> Mapping[str, str]:
    """Return what the compiler is started with: no library for languages is needed, and little is run twice.

    Without .NET's profiling of what might become hot and its collector's own thread, our templates take a third less
    processor time (measured).
    """
    return {
        **os.environ,
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
        "DOTNET_TieredPGO": "0",
        "DOTNET_gcConcurrent": "0",
    }


def template() -> str:
    """Return the whole deployment as JSON, as Azure takes it; raise NotCompiled."""
    program = find()
    if program is None:
        raise NotCompiled(ABSENT)
    command: list[str | Path] = [program, "build", ROOT / "infra/main.bicep", "--stdout"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode or done.stderr.strip():
        raise NotCompiled(done.stderr)
    return done.stdout
