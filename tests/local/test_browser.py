"""The browser of the console's tests: found where it may be, and missed by a sentence that says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import browser
from local.browser import BrowserMissing, find_browser


def test_a_browser_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "google-chrome"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() == program


def test_without_one_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))  # put back at the end
    monkeypatch.setattr(browser, "DOWNLOADS", tmp_path)
    with pytest.raises(BrowserMissing, match="install Chromium"):
        find_browser()
