"""A browser at the console of a running stack: one browser and one stack for a file of tests, one tab with its own memory for a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from local.browser import find_browser
from local.stack import Stack
from local.warm import Shared
from local.world import World
from tests.console.scene import fill
from tests.console.tab import Tab

OpenTab = Callable[..., Tab]

SETTINGS = {
    "SETTLE_SECONDS": "0",
    "EXPORT_SCHEDULE": "0 0 0 1 1 *",
    "SUPERVISION_SCHEDULE": "*/5 * * * * *",
    "LOCAL_HOST_POISON_POLL_SECONDS": "10",
}
"""Nothing begins by itself."""

expect.set_options(timeout=60_000)  # milliseconds: how long a busy machine may take says nothing of the page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser; raise BrowserMissing, which says what to install."""
    program = find_browser()
    sandboxed = os.geteuid() != 0  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, chromium_sandbox=sandboxed)
        yield started
        started.close()


@pytest.fixture(scope="module")
def bare_world(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[World]:
    """Yield the module's running stack, with nothing in it."""
    with Stack(tmp_path_factory.mktemp("stack"), settings=SETTINGS, in_memory=True, shared=shared_parts) as stack:
        world = World(stack)
        yield world
        world.close()


@pytest.fixture(scope="module")
def world(bare_world: World) -> World:
    """Return the module's world with a company in it, of which exports have run."""
    fill(bare_world)
    return bare_world


@pytest.fixture
def open_tab(browser: Browser, bare_world: World) -> Iterator[OpenTab]:
    """Yield a maker of tabs. At the end nothing may have gone wrong in any of them that its test did not expect."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def make(*, scheme: str = "light", width: int = 1280, height: int = 900) -> Tab:
        context = browser.new_context(
            base_url=bare_world.stack.console_url,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        tabs.append(Tab(context.new_page(), bare_world.stack.console_url, bare_world.stack.function_key))
        return tabs[-1]

    yield make
    troubles = [trouble for tab in tabs for trouble in tab.troubles]
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    """Return a tab that was opened by nobody yet."""
    return open_tab()
