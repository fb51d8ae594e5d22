"""The page itself: how it loads, what it keeps, and what it never does."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from export_trigger.http.console import GUARDS
from local.world import World
from tests.console.tab import Tab

EVERYTHING_KEPT = """() => JSON.stringify({
    local: {...localStorage}, cookies: document.cookie, address: location.href, title: document.title,
    name: window.name, state: history.state, text: document.documentElement.outerHTML,
    values: [...document.querySelectorAll("input")].map((input) => input.value),
})"""


def test_the_page_loads_from_the_root_in_four_requests_and_asks_who_is_there(tab: Tab) -> None:
    tab.expected.add("401")
    response = tab.page.goto(tab.root)
    assert response is not None
    assert {name.lower(): value for name, value in GUARDS.items()}.items() <= response.headers.items()
    expect(tab.page.get_by_label("Function key")).to_be_visible()
    files = [url for url in tab.asked if "/api/" not in url]
    assert len(files) <= 4
    assert len(tab.asked) - len(files) <= 1


def test_a_page_that_was_there_before_asks_for_the_page_alone(tab: Tab) -> None:
    """Its files are named by their content, and kept."""
    tab.sign_in()
    tab.page.reload()
    tab.page.get_by_role("navigation", name="Screens").wait_for()
    sizes = tab.page.evaluate(
        "() => performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/console/'))"
        ".map((entry) => entry.transferSize)"
    )
    assert sizes
    assert set(sizes) == {0}


def test_the_key_is_kept_in_the_tab_and_nowhere_else(tab: Tab) -> None:
    tab.sign_in()
    assert tab.key not in tab.page.evaluate(EVERYTHING_KEPT)
    kept = tab.page.evaluate("() => ({...sessionStorage})")
    assert list(kept.values()) == [tab.key]
    tab.page.get_by_role("button", name="Sign out").click()
    expect(tab.page.get_by_label("Function key")).to_be_visible()
    assert tab.key not in json.dumps(tab.page.evaluate("() => ({...sessionStorage})"))


def test_a_wrong_key_is_refused_and_not_kept(tab: Tab) -> None:
    """Nobody has to look for the field: it has the focus from the beginning, and again with what is wrong with it."""
    tab.expected.add("401")
    tab.open()
    field = tab.page.get_by_label("Function key", exact=True)
    expect(field).to_be_focused()
    tab.page.keyboard.type("wrong")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("alert")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("^The app does not accept this key. You find the key"))
    assert tab.page.evaluate("() => ({...sessionStorage})") == {}


def test_no_text_becomes_markup_and_no_script_of_others_runs(tab: Tab) -> None:
    """The policy itself refuses; so what it refuses is no trouble here."""
    tab.expected.add("401")
    tab.open()
    refused = tab.page.evaluate(
        """async () => {
            const done = [];
            await new Promise((later) => setTimeout(later)); // what the test itself runs at once is exempt
            try { document.body.innerHTML = "<b>x</b>"; done.push("markup"); } catch { /* refused */ }
            try { (0, eval)("1"); done.push("eval"); } catch { /* refused */ }
            await fetch("http://127.0.0.1:1/").then(() => done.push("fetch"), () => {});
            return done;
        }"""
    )
    assert refused == []
    assert any("Content Security Policy" in trouble or "TrustedHTML" in trouble for trouble in tab.troubles)
    tab.troubles.clear()


def test_what_happened_is_seen_by_somebody_who_comes_back(tab: Tab, bare_world: World) -> None:
    """An empty installation says what comes first, instead of nothing."""
    tab.sign_in()
    expect(tab.page.get_by_role("heading", level=1)).to_have_count(1)
    expect(tab.page.locator("[aria-busy=true]")).to_have_count(0)
    assert bare_world.api.get("exports")["items"] == []
    assert len(tab.page.locator("main").inner_text()) > 40
