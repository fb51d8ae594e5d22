"""What goes wrong around the page, for real: the app restarts, a segment vanishes, a list is deleted, a preview takes long."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Route, expect

from local.environment import Company
from local.eventually import eventually
from local.world import SIMPLE, World, people
from tests.console.tab import Tab


@pytest.fixture
def without_it(world: World) -> Iterator[str]:
    """Yield the name of an export whose only segment has vanished since it was saved."""
    world.publish({"Summer": people("ann@example.com")})
    world.save("summer", display_name="Summer", segments=[{"segment": "Summer", "list": "Summer"}], mapping=SIMPLE)
    world.publish_company(Company.found(400))
    yield "summer"
    world.api.delete("exports/summer")


def test_a_segment_that_vanished_is_said_wherever_it_matters(world: World, tab: Tab, without_it: str) -> None:
    tab.expected.update({"409", "422"})
    run = world.run(without_it)
    assert run["reason"] == "segment_missing"
    tab.sign_in(f"#/exports/{without_it}/runs/{run['id']}")
    expect(tab.page.locator("main")).to_contain_text("no segment 'Summer'")
    tab.open(f"#/exports/{without_it}/edit")
    row = tab.page.get_by_role("row", name=re.compile("Summer"))
    expect(row).to_contain_text("no longer in Customer Insights' output")
    expect(tab.page.get_by_role("complementary")).to_contain_text("no segment 'Summer'")
    assert tab.faults_of_access() == []
    tab.page.get_by_label("Display name").fill("Summer, later")
    tab.click(tab.button("Save"))
    expect(tab.page.get_by_role("alert").first).to_contain_text("does not fit the segments")
    expect(row).to_contain_text("no segment 'Summer'")
    tab.page.get_by_role("checkbox", name="Send Summer").click()  # its row goes with it
    tab.page.get_by_role("checkbox", name="Send Customer").check()
    expect(tab.page.get_by_role("complementary")).to_contain_text("by the settings typed here")
    expect(tab.page.get_by_label("Display name")).to_have_value("Summer, later")


def test_an_app_that_really_restarts_is_waited_for_and_nothing_typed_is_lost(world: World, tab: Tab) -> None:
    tab.expected.update({"FAILED", "CONNECTION_REFUSED", "CONNECTION_RESET", "EMPTY_RESPONSE"})
    tab.sign_in("#/exports/loyalty/edit")
    tab.settles()
    tab.page.get_by_label("Display name").fill("Typed before the restart")
    before = world.stack.console_url
    world.stack.restart_host(0)
    assert world.stack.console_url == before
    tab.click(tab.button("Save"))
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    assert world.api.get("exports/loyalty")["display_name"] == "Typed before the restart"
    world.save("loyalty", display_name="Loyalty lists")


def test_a_list_that_is_not_right_is_mended_by_one_more_click(world: World, tab: Tab) -> None:
    gold = [{"segment": "LoyaltyGold", "list": "Deleted there"}]
    world.save("proved", display_name="To prove", segments=gold, mapping=SIMPLE, schedule={"on": "off"})
    members = world.run("proved")["counts"]["joiners"]
    requests.delete(f"{world.stack.sandbox_url}/sandbox/lists/{world.list_ids()['Deleted there']}", timeout=60)
    tab.sign_in()
    tab.settles()
    tab.click(tab.link("To prove", tab.page.get_by_role("table", name="Lists and how fresh they are")))
    tab.click(tab.button("Verify"))
    mend = tab.page.get_by_role("button", name=re.compile(rf"^Mend {members} differences$"))
    expect(mend).to_be_visible()
    assert tab.clicks == 2
    verification = tab.page.url.rpartition("/")[2]
    tab.click(mend)
    assert tab.clicks == 3
    expect(tab.page).to_have_url(re.compile(rf"/runs/(?!{verification})"))
    world.wait("proved", tab.page.url.rpartition("/")[2])

    eventually(lambda: world.members("Deleted there"), lambda found: len(found) == members)


def test_a_preview_that_takes_long_is_fetched_when_it_is_there(world: World, tab: Tab) -> None:
    def ask_shortly(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "prefer": "wait=0"})

    tab.page.route(re.compile("/preview$"), ask_shortly)
    tab.sign_in("#/exports/loyalty")
    tab.settles()
    tab.click(tab.button("Preview"))
    expect(tab.page.get_by_role("dialog")).to_contain_text("Removed from lists")
    expect(tab.page.get_by_role("dialog")).not_to_contain_text("contacts as they would be sent")
    assert any("/previews/" in url for url in tab.asked)
