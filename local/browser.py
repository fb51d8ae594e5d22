"""The browser that the console is tested in: one that is on the machine, or Playwright's own, or the system's package.

`python -m local.browser` makes sure that there is one; `make test` begins with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from local.package import ROOT

NAMES: Final = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "msedge",
    "microsoft-edge",
)
"""What Chromium and those made of it are called on the PATH; those without a window first: these tests then take a quarter less time."""

DOWNLOADS: Final = ROOT / ".local/browsers"
"""Where Playwright puts its own: in the project's folder, as everything else."""

ADVICE: Final = (
    "The tests of the console need a browser: install Chromium or Google Chrome so that it is on the PATH "
    "(Debian: apt-get install chromium), or run `make test` once with a network."
)

SECONDS: Final = 600


class BrowserMissing(Exception):
    """There is no browser; the text says what to install."""


def find_browser() -> Path:
    """Return the program of a browser that Playwright can drive; raise BrowserMissing."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    own = _own()
    if not own.exists():
        raise BrowserMissing(ADVICE)
    return own


def _own() -> Path:
    """Return where Playwright's own browser is, if it is there."""
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(DOWNLOADS)
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _install() -> None:
    """Get a browser from Playwright, or where this is root from the system's packages, whichever can be had."""
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(DOWNLOADS)}
    download = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if _succeeds(download, environment) or os.geteuid() or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if _succeeds(["apt-get", "update", "-qq"], quiet):
        install = ["apt-get", "install", "-qq", "--no-install-recommends"]
        any(_succeeds([*install, package], quiet) for package in ("chromium-headless-shell", "chromium"))


def _succeeds(command: Sequence[str], environment: dict[str, str]) -> bool:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    """Make sure that there is a browser. Without one only its tests fail, and they say what to do."""
    try:
        find_browser()
    except BrowserMissing:
        print("Installing a browser for the tests of the console")
        _install()
    return 0


if __name__ == "__main__":
    sys.exit(main())
