"""The preview beside the form says what the settings typed now would do; nothing is saved by looking."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Request, Route, expect

from local.world import SIMPLE, World
from tests.console.answers import refuse
from tests.console.tab import Tab

PREVIEW = re.compile(r"/api/exports/[\w-]+/preview$")


def watched(tab: Tab) -> list[Request]:
    """Return the previews that the page asks for, as it goes on."""
    asked: list[Request] = []
    tab.page.on("request", lambda request: asked.append(request) if PREVIEW.search(request.url) else None)
    return asked


def test_the_preview_follows_what_is_typed(world: World, tab: Tab) -> None:
    world.save("typed", display_name="Typed", segments=[{"segment": "LapsedCustomers", "list": "T"}], mapping=SIMPLE)
    before = world.api.get("exports/typed")
    tab.page.clock.install()
    tab.sign_in("#/exports/typed/edit")
    beside = tab.page.get_by_role("complementary")
    asked = watched(tab)
    expect(beside).to_contain_text("What a run would do now")
    tab.settles()
    tab.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # typing takes no time, however busy the machine is
    tab.page.get_by_label("Display name").press_sequentially(" and more", delay=20)
    limit = tab.page.get_by_label("Hold the run above this many profiles")
    limit.fill("")
    limit.press_sequentially("1", delay=20)
    tab.page.clock.resume()
    expect(beside).to_contain_text("It would be skipped")
    expect(beside).to_contain_text("by the settings typed here")
    tab.settles()
    assert tab.faults_of_access() == []
    assert len(asked) <= 2  # of the saved settings, and of those typed; a name changes nothing of what a run does
    assert json.loads(asked[-1].post_data or "")["max_profiles"] == 1
    assert world.api.get("exports/typed") == before


def test_numbers_of_settings_typed_before_do_not_look_like_those_of_now(world: World, tab: Tab) -> None:
    tab.sign_in("#/exports/loyalty/edit")
    tab.settles()
    beside = tab.page.get_by_role("complementary")
    tab.page.get_by_role("combobox", name="Column for FirstName").select_option("")
    expect(beside).to_contain_text("from before your last change. Choose the column that fills it.")
    held: list[Route] = []
    tab.page.route(PREVIEW, lambda route: route.continue_() if held else held.append(route))
    with tab.page.expect_request(PREVIEW):
        tab.page.get_by_role("combobox", name="Column for FirstName").select_option("LastName")
    expect(beside).to_contain_text("Working out your changes")
    expect(beside.locator("[aria-busy=true]")).to_contain_text("Added to lists")
    assert tab.faults_of_access() == []
    tab.page.get_by_role("combobox", name="Column for FirstName").select_option("Email")
    with tab.page.expect_request(PREVIEW) as last:  # which is made once the one that is going has its answer
        held[0].continue_()
    assert json.loads(last.value.post_data or "")["mapping"]["FirstName"] == "Email"
    expect(beside).to_contain_text("by the settings typed here")
    assert len(held) == 1


def test_a_new_export_is_previewed_before_it_is_saved(world: World, tab: Tab) -> None:
    known = {item["name"] for item in world.api.get("exports")["items"]}
    tab.sign_in("#/new-export?segment=Customer&connection=main")
    asked = watched(tab)
    beside = tab.page.get_by_role("complementary")
    expect(beside).to_contain_text("What its first run would do. Nothing is saved or sent.")
    tab.settles()
    expect(beside).to_contain_text("Added to lists")
    assert 1 <= len(asked) <= 2  # the account's own fields may come after the first
    assert {request.headers.get("if-none-match") for request in asked} == {"*"}
    assert {item["name"] for item in world.api.get("exports")["items"]} == known


def test_what_a_save_would_refuse_is_said_while_it_is_typed(world: World, tab: Tab) -> None:
    tab.expected.add("409")
    tab.sign_in("#/new-export?segment=LoyaltyGold&connection=main")
    tab.page.get_by_label("List of LoyaltyGold").fill("LoyaltyGold too")
    expect(tab.page.get_by_role("complementary")).to_contain_text("fills the list 'LoyaltyGold too' already")


def test_saving_and_running_are_one_way_with_the_numbers_before_it_runs(world: World, tab: Tab) -> None:
    segments = [{"segment": "LapsedCustomers", "list": "At once"}]
    world.save("once", display_name="At once", segments=segments, mapping=SIMPLE, schedule={"on": "off"})
    tab.sign_in("#/exports/once/edit")
    tab.settles()
    tab.page.get_by_label("Display name").fill("Saved at once")
    tab.click(tab.button("Save and run"))
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Added to lists")
    assert world.api.get("exports/once")["display_name"] == "Saved at once"
    assert world.runs("once") == []
    tab.click(dialog.get_by_role("button", name=re.compile("^Start")))
    expect(tab.page).to_have_url(re.compile("/runs/"))
    assert len(world.runs("once")) == 1


def test_a_new_export_is_saved_and_run_in_one_way_too(world: World, tab: Tab) -> None:
    tab.expected.add("404")  # whether the name is free
    tab.sign_in("#/new-export?segment=Customer&connection=main")
    tab.settles()
    tab.page.get_by_label("Display name").fill("New and run")
    tab.click(tab.button("Save and run"))
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Added to lists")
    assert world.runs("new-and-run") == []
    tab.click(dialog.get_by_role("button", name=re.compile("^Start")))
    expect(tab.page).to_have_url(re.compile("/new-and-run/runs/"))
    assert len(world.runs("new-and-run")) == 1


def test_a_preview_is_given_up_before_a_save_could_overtake_it(world: World, tab: Tab) -> None:
    tab.expected.add("404")  # whether the name is free
    tab.page.route(PREVIEW, lambda route: None)  # no preview has an answer
    with tab.page.expect_request(PREVIEW) as preview:  # under the name that the segment suggests
        tab.sign_in("#/new-export?segment=Customer&connection=main")
    events: list[str] = []
    tab.page.on("requestfailed", lambda request: events.append("given up") if request == preview.value else None)
    tab.page.on("request", lambda request: events.append("save") if request.method == "PUT" else None)
    tab.page.get_by_label("List of Customer").fill("Overtaking")
    tab.page.get_by_label("Display name").fill("Overtaking")
    tab.click(tab.button("Save"))
    expect(tab.page).to_have_url(re.compile("/overtaking/edit$"))
    assert events == ["given up", "save"]


def test_errors_call_the_fields_of_a_form_as_the_form_does(world: World, tab: Tab) -> None:
    tab.expected.update({"404", "409", "422"})
    tab.sign_in("#/new-connection")
    tab.settles()
    tab.button("Connect").click()
    summary = tab.page.locator("#errors")
    for label in ("Display name", "Short name (used in links)", "API key", "I agree"):
        expect(summary.get_by_role("link", name=label, exact=True)).to_be_visible()
    tab.page.get_by_label("Display name").fill("Refused")
    tab.page.get_by_label("API key").fill("no-key-of-anybody")
    tab.page.get_by_role("checkbox", name="I agree").check()
    tab.button("Connect").click()
    expect(summary).to_contain_text("Some fields need to be corrected.")
    refusal = tab.page.locator("#f-api_key-error").inner_text()
    assert (
        tab.page.locator("main").inner_text().count(refusal) == 2
    )  # at the field, and in the summary that leads to it


def test_an_error_leads_to_its_field_which_says_it_too(world: World, tab: Tab) -> None:
    tab.expected.update({"409", "422"})
    segments = [{"segment": "LapsedCustomers", "list": "Errors"}]
    schedule = {"on": "cron", "cron": "0 6 * * *", "time_zone": "Europe/Berlin"}
    world.save("errors", display_name="Errors", segments=segments, mapping=SIMPLE, schedule=schedule)
    tab.sign_in("#/exports/errors/edit")
    zone = tab.page.get_by_label("Time zone")
    zone.fill("Mars/Base")
    tab.button("Save").click()
    tab.page.locator("#errors").get_by_role("link", name="Time zone").click()
    expect(zone).to_be_focused()
    expect(zone).to_have_accessible_description(re.compile("is not a time zone"))
    zone.fill("Europe/Paris")
    title = tab.page.get_by_label("List of LapsedCustomers")
    title.fill("LoyaltyGold too")
    refuse(
        tab,
        "exports/errors",
        422,
        "PUT",
        code="x",
        detail="Wrong.",
        errors=[{"field": "segments.0.list", "detail": "Taken."}],
    )
    tab.button("Save").click()
    tab.page.locator("#errors").get_by_role("link", name="Segment 1").click()
    expect(title).to_be_focused()
    expect(title).to_have_accessible_description("Taken.")
