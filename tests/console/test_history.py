"""With ten thousand runs of two hundred exports the first view still costs a few requests, and kilobytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from local.world import World
from tests.console.history import fill_history
from tests.console.tab import Tab

EXPORTS, RUNS = 200, 51
MOST_REQUESTS = 3
"""Of the API: who is there, the exports, and the newest runs."""

MOST_BYTES = 30_000
"""Of their answers, as they are sent."""


@pytest.fixture(scope="module")
def old_world(world: World) -> Iterator[World]:
    """Yield the world with ten thousand runs of two hundred exports."""
    there = len(world.api.get("exports", limit="200")["items"]) + 1  # the one that the others are made like
    fill_history(world, EXPORTS - there, RUNS)
    yield world


def test_the_first_view_of_a_long_history_costs_what_it_shows(old_world: World, tab: Tab) -> None:
    tab.sign_in()
    expect(tab.page.locator("main")).to_contain_text("Last 24 hours")
    sizes = sizes_of_answers(tab)
    tab.page.reload()
    expect(tab.page.locator("main")).to_contain_text("Last 24 hours")
    tab.settles()
    expect(tab.page.get_by_role("link", name=f"All {EXPORTS} exports")).to_be_visible()
    expect(tab.page.locator("main")).to_contain_text("The newest 40 runs")

    assert len(sizes) <= MOST_REQUESTS
    assert sum(sizes.values()) <= MOST_BYTES


def sizes_of_answers(tab: Tab) -> dict[str, int]:
    """Return the bytes of each answer of the API as it comes over the network, by its address, as the page goes on."""
    devtools = tab.page.context.new_cdp_session(tab.page)
    paths: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def note_answer(event: dict[str, Any]) -> None:
        if "/api/" in event["response"]["url"]:
            paths[event["requestId"]] = event["response"]["url"]

    def note_end(event: dict[str, Any]) -> None:
        if event["requestId"] in paths:
            sizes[paths[event["requestId"]]] = int(event["encodedDataLength"])

    devtools.on("Network.responseReceived", note_answer)
    devtools.on("Network.loadingFinished", note_end)
    devtools.send("Network.enable")
    return sizes
