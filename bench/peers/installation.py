"""A virtual environment for each peer: made on first use, made again when its requirements change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).parent
HOME: Final = PEERS.parent.parent / ".local-peers"


def python_of(peer: str) -> Path:
    """Return the interpreter that has what the peer needs."""
    requirements = PEERS / peer / "requirements.txt"
    place = HOME / "venvs" / peer
    python, stamp = place / "bin" / "python", place / "installed"
    wanted = f"{sys.version}\n{requirements.read_text()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {peer}: {', '.join(requirements.read_text().split())}", file=sys.stderr)
        _uv("venv", "--clear", "--python", sys.executable, str(place))
        _uv("pip", "install", "--python", str(python), "--requirement", str(requirements))
        stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)
