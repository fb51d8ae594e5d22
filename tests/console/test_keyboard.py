"""What people come for, done with the keyboard alone: the focus is seen wherever it is, and goes where the work goes on."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import Locator, expect

from local.world import SIMPLE, World
from tests.console.tab import Tab

MOST_STEPS = 90
"""Steps of the Tab key from one end of a screen to the other."""

IS_FOCUSED = "element => element === document.activeElement"
IS_SEEN = """element => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return element.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
        && box.top < innerHeight && box.bottom > 0;
}"""


def reach(tab: Tab, what: Locator) -> None:
    """Press Tab until the focus is there, and can be seen there."""
    expect(what).to_be_attached()
    for _ in range(MOST_STEPS):
        if what.evaluate(IS_FOCUSED):
            assert what.evaluate(IS_SEEN), f"the focus on {what} cannot be seen"
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"{what} is not reached within {MOST_STEPS} steps")


def press(tab: Tab, what: Locator, key: str = "Enter") -> None:
    reach(tab, what)
    tab.page.keyboard.press(key)


def sign_in_by_keyboard(tab: Tab, place: str = "#/") -> None:
    tab.expected.add("401")
    tab.open(place)
    reach(tab, tab.page.get_by_label("Function key"))
    tab.page.keyboard.type(tab.key)
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("navigation", name="Screens").wait_for()
    tab.settles()


def test_an_export_is_run_and_watched_to_its_end(world: World, tab: Tab) -> None:
    sign_in_by_keyboard(tab)
    press(tab, tab.button("Run Loyalty lists"))
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Added to lists")
    press(tab, dialog.get_by_role("button", name=re.compile("^Start")))
    expect(tab.page).to_have_url(re.compile("/runs/"))
    expect(tab.page.locator("#title")).to_be_focused()
    run = world.wait("loyalty", tab.page.url.rpartition("/")[2])
    expect(tab.page.get_by_role("status").first).to_contain_text(run["status"])


def test_a_question_is_left_by_escape_and_the_focus_is_where_it_was(world: World, tab: Tab) -> None:
    sign_in_by_keyboard(tab)
    before = len(world.runs("loyalty"))
    press(tab, tab.button("Run Loyalty lists"))
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.button("Run Loyalty lists")).to_be_focused()
    assert len(world.runs("loyalty")) == before


def test_an_export_is_made_from_a_segment(world: World, tab: Tab) -> None:
    tab.expected.add("404")  # whether the name is free
    sign_in_by_keyboard(tab)
    press(tab, tab.link("Segments", tab.page.get_by_role("navigation", name="Screens")))
    press(tab, tab.link("Customer"))
    press(tab, tab.page.get_by_role("link", name="New export").or_(tab.button("New export")).first)
    reach(tab, tab.page.get_by_label("Display name"))
    tab.page.keyboard.press("ControlOrMeta+a")
    tab.page.keyboard.type("Made by keyboard")
    reach(tab, tab.page.get_by_label("Where contacts go"))
    tab.page.keyboard.type("Main")
    press(tab, tab.button("Save"))
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    saved = world.api.get("exports/made-by-keyboard")
    assert (saved["connection"], saved["segments"]) == ("main", [{"segment": "Customer", "list": "Customer"}])


def test_why_rows_were_rejected_is_read_and_they_are_tried_again(world: World, tab: Tab) -> None:
    sign_in_by_keyboard(tab)
    press(tab, tab.link("See the rows").first)
    press(tab, tab.page.get_by_role("button", name=re.compile("Email missing")))
    expect(tab.page.locator("main")).to_contain_text("Give the profile an e-mail address in its source.")
    before = tab.page.url.rpartition("/")[2].partition("?")[0]
    press(tab, tab.page.get_by_role("button", name=re.compile(r"^Try \d+ rejected again")))
    expect(tab.page).to_have_url(re.compile(rf"/runs/(?!{before})"))
    started = tab.page.url.rpartition("/")[2]
    assert world.wait("loyalty", started)["trigger"] == "rejected_rows"


def test_a_list_is_proved_and_mended(world: World, tab: Tab) -> None:
    lapsed = [{"segment": "LapsedCustomers", "list": "Kept right"}]
    world.save("kept", display_name="Kept right", segments=lapsed, mapping=SIMPLE, schedule={"on": "off"})
    world.run("kept")
    requests.delete(f"{world.stack.sandbox_url}/sandbox/lists/{world.list_ids()['Kept right']}", timeout=60)
    sign_in_by_keyboard(tab, "#/exports/kept")
    press(tab, tab.button("Verify"))
    expect(tab.page).to_have_url(re.compile("/runs/"))
    press(tab, tab.page.get_by_role("button", name=re.compile(r"^Mend \d+ difference")))
    expect(tab.page.locator("main")).to_contain_text("What the lists hold")


def test_settings_are_changed_and_saved(world: World, tab: Tab) -> None:
    tab.expected.update({"409", "422"})  # the preview of a name that is half typed, where typing takes long
    world.save("typing", display_name="Typing", segments=[{"segment": "LoyaltyGold", "list": "Typing"}], mapping=SIMPLE)
    sign_in_by_keyboard(tab, "#/exports/typing")
    press(tab, tab.link("Edit").or_(tab.button("Edit")).first)
    press(tab, tab.page.get_by_role("checkbox", name="Send LapsedCustomers"), "Space")
    reach(tab, tab.page.get_by_label("List of LapsedCustomers"))
    tab.page.keyboard.press("ControlOrMeta+a")
    tab.page.keyboard.type("Typing too")
    press(tab, tab.button("Save"))
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    lists = [item["list"] for item in world.api.get("exports/typing")["segments"]]
    assert sorted(lists) == ["Typing", "Typing too"]
