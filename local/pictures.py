"""`python -m local.pictures`: the pictures of the console in the documents, taken of the running product."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from local.browser import BrowserMissing, find_browser
from local.commands import CannotGoOn, run_command
from local.environment import Company
from local.package import ROOT
from local.stack import Stack
from local.world import World

FOLDER: Final = ROOT / "docs/images"
WHOLE: Final = "() => document.querySelector('#title') && !document.querySelector('[aria-busy=true]')"
LARGEST: Final = 150_000
"""Bytes of a picture."""

TICKED: Final = {"edit": "Send LapsedCustomers"}
"""What is ticked, or not any more, before a picture is taken, by its name: so the form's shows the preview of a change."""

PEOPLE: Final = 4_000
SETTINGS: Final = {"SETTLE_SECONDS": "0", "EXPORT_SCHEDULE": "0 0 0 1 1 *", "SUPERVISION_SCHEDULE": "*/5 * * * * *"}


def main() -> int:
    """Play a few days of a made-up company, and take a picture of each screen that the documents show."""
    argparse.ArgumentParser(prog="python -m local.pictures", description=main.__doc__).parse_args()
    try:
        program = find_browser()
    except BrowserMissing as missing:
        raise CannotGoOn(str(missing)) from None
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), settings=SETTINGS, in_memory=True) as stack:
        world = World(stack)
        places = _play(world)
        world.close()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
            page = browser.new_page(
                viewport={"width": 1280, "height": 800},
                locale="en-GB",
                timezone_id="Europe/Berlin",
                reduced_motion="reduce",
            )
            _sign_in(page, stack)
            for name, place in places.items():
                _open(page, f"{stack.console_url}{place}", TICKED.get(name))
                _take(page, FOLDER / f"console-{name}.png")
            browser.close()
    return 0


def _play(world: World) -> Mapping[str, str]:
    """Export a company's segments as they change, and return the places to show by the names of their pictures."""
    company = Company.found(PEOPLE)
    world.publish_company(company)
    world.connect("main", display_name="Main account")
    world.save("loyalty", display_name="Loyalty lists")
    world.run("loyalty")
    for _ in range(3):
        company = company.next_refresh()
        world.publish_company(company)
        run = world.run("loyalty")
    gold = [{"segment": "LoyaltyGold", "list": "Gold members"}]
    world.save("gold", display_name="Gold members", segments=gold, max_profiles=1_000)
    world.run("gold")
    return {
        "overview": "#/",
        "export": "#/exports/loyalty",
        "run": f"#/exports/loyalty/runs/{run['id']}",
        "edit": "#/exports/loyalty/edit",
    }


def _sign_in(page: Page, stack: Stack) -> None:
    page.goto(stack.console_url)
    page.get_by_label("Function key").fill(stack.function_key)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#title").wait_for()


def _open(page: Page, url: str, tick: str | None) -> None:
    """Open a screen, tick what is to be, and wait until it has all it reads."""
    page.goto(url)
    page.wait_for_function(WHOLE)
    if tick:
        page.get_by_role("checkbox", name=tick).click()
        page.get_by_text("by the settings typed here").wait_for()
        page.wait_for_function(WHOLE)


def _take(page: Page, file: Path) -> None:
    """Take a picture; raise CannotGoOn if it is too large for a repository."""
    page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}: {size / 1000:.0f} kB")
    if size > LARGEST:
        raise CannotGoOn(f"{file.name} has {size} bytes, more than {LARGEST}.")


if __name__ == "__main__":
    sys.exit(run_command(main))
