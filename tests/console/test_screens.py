"""Every screen in light and dark, wide and narrow: nothing that axe finds, nothing that runs over, no name that becomes markup."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from local.world import SIMPLE, World
from tests.console.conftest import OpenTab
from tests.console.scene import MARKUP
from tests.console.tab import Tab

LAPSED = {"segment": "LapsedCustomers", "list": "LapsedCustomers too"}
UNBROKEN = "A_name_without_a_blank_that_is_longer_than_what_fits_into_a_column_of_a_page"

PLACES = (
    *("", "exports", "exports/loyalty", "exports/loyalty/lists", "exports/loyalty/settings", "exports/loyalty/changes"),
    *(
        "exports/loyalty/edit",
        "new-export",
        "exports/loyalty/runs/{run}",
        "exports/small/runs/{skipped}",
        "exports/marked",
    ),
    *("segments", "segments/LoyaltyGold", "person", "connections", "connections/main", "new-connection"),
    *("audit", "health", "nothing"),
)
"""Every screen, by the hash of its address."""


def hashes(world: World) -> list[str]:
    run, skipped = (world.runs(name)[0]["id"] for name in ("loyalty", "small"))
    return [f"#/{place.format(run=run, skipped=skipped)}" for place in PLACES]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_every_screen(world: World, open_tab: OpenTab, scheme: str) -> None:
    tab = open_tab(scheme=scheme)
    tab.sign_in()
    faults = {}
    for place in hashes(world):
        tab.open(place)
        tab.settles()
        faults[place] = tab.faults_of_access()
    assert {place: found for place, found in faults.items() if found} == {}


def test_who_is_not_signed_in_can_use_the_form(world: World, open_tab: OpenTab) -> None:
    for scheme in ("light", "dark"):
        tab = open_tab(scheme=scheme)
        tab.expected.add("401")
        tab.open()
        tab.page.get_by_label("Function key").wait_for()
        assert tab.faults_of_access() == []


def test_nothing_runs_over_a_narrow_screen(world: World, open_tab: OpenTab) -> None:
    tab = open_tab(width=320, height=640)
    tab.expected.add("401")
    tab.open()
    tab.page.get_by_label("Function key").fill(tab.key)
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.locator("#title").wait_for()
    world.save("loyalty", display_name=UNBROKEN)
    over = widths(world, tab)
    world.save("loyalty", display_name="Loyalty lists")
    assert {place: width for place, width in over.items() if width > 320} == {}


def test_the_text_size_that_somebody_chose_in_the_browser_is_kept_to(world: World, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.sign_in()
    devtools = tab.page.context.new_cdp_session(tab.page)

    def enlarge() -> None:
        devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
        tab.page.wait_for_function("() => getComputedStyle(document.body).fontSize === '28px'")

    over = widths(world, tab, enlarge)
    assert {place: width for place, width in over.items() if width > 1280} == {}
    small = "() => [...document.querySelectorAll('main *')].map(e => parseFloat(getComputedStyle(e).fontSize)).filter(size => size < 24)"
    tab.open("#/segments")
    tab.settles()
    enlarge()
    assert tab.page.evaluate(small) == []


def widths(world: World, tab: Tab, change: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Return how wide every screen is, after a change of each."""
    found = {}
    for place in hashes(world):
        tab.open(place)
        tab.settles()
        change()
        found[place] = int(tab.page.evaluate("() => document.scrollingElement.scrollWidth"))
    return found


def test_a_long_name_runs_over_nothing_and_a_link_is_large_enough_to_hit(world: World, open_tab: OpenTab) -> None:
    world.save("small", display_name=UNBROKEN, segments=[LAPSED], mapping=SIMPLE, max_profiles=1)
    tab = open_tab()
    tab.sign_in()
    tab.settles()
    over = (
        "() => [...document.querySelectorAll('.attention li > div')].filter(e => e.scrollWidth > e.clientWidth).length"
    )
    assert tab.page.evaluate(over) == 0
    world.save("small", display_name="Too small", segments=[LAPSED], mapping=SIMPLE, max_profiles=1)
    tab.open("#/segments")
    tab.settles()
    heights = tab.page.locator("td ul a").evaluate_all(
        "links => links.map(link => link.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24
    lines = "e => { const range = document.createRange(); range.selectNodeContents(e); return range.getClientRects().length; }"
    assert tab.link("NewsletterSubscribers").evaluate(lines) == 1


@pytest.mark.parametrize("width", [1024, 1280])
def test_no_table_is_cut_off_on_a_laptop(world: World, open_tab: OpenTab, width: int) -> None:
    tab = open_tab(width=width, height=800)
    tab.sign_in("#/")
    cut = {}
    for place in ("#/", "#/exports", "#/segments", "#/connections", "#/audit"):
        tab.open(place)
        tab.settles()
        cut[place] = tab.page.evaluate(
            "() => [...document.querySelectorAll('.card.flush')].filter(card => card.scrollWidth > card.clientWidth).length"
        )
    assert {place: count for place, count in cut.items() if count} == {}


def test_a_name_with_markup_is_shown_as_it_is(world: World, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.sign_in("#/exports/marked")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    for place in ("#/", "#/exports", "#/segments/LoyaltyGold", "#/connections/main", "#/person"):
        tab.open(place)
        tab.settles()
        expect(tab.page.get_by_text(MARKUP).first).to_be_attached()
        expect(tab.page.locator("img")).to_have_count(0)
    assert tab.page.title() != "1"


def test_back_leads_to_where_one_was(world: World, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.sign_in("#/exports")
    tab.settles()
    tab.page.get_by_role("button", name="Skipped 1").click()
    filtered = tab.page.url
    assert filtered != f"{tab.root}#/exports"
    tab.link("Too small").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Too small")
    expect(tab.page.locator("#title")).to_be_focused()
    tab.page.go_back()
    expect(tab.page).to_have_url(filtered)
    expect(tab.link("Too small")).to_be_visible()
    expect(tab.link("Loyalty lists")).to_have_count(0)
