"""Who has only Ortto reads nothing of Autopilot's, also while their account says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from local.world import World
from tests.console.answers import alter, refuse
from tests.console.tab import Tab

FIELDS = "connections/main/fields"
OFFER = {
    "kind": "ortto",
    "address": "str::email",
    "asks_new_people": True,
    "fields": [
        {"name": "str::email", "title": "Email", "type": "email"},
        {"name": "str::first", "title": "First name", "type": "text"},
    ],
    "suggested_mapping": {"str::email": "Email", "str::first": "FirstName"},
}


@pytest.fixture(autouse=True)
def _only_ortto(tab: Tab) -> None:
    alter(tab, "connections", lambda page: page.update(items=[{**item, "kind": "ortto"} for item in page["items"]]))
    alter(tab, FIELDS, lambda offer: offer.update(OFFER))


def as_ortto(export: dict[str, Any]) -> None:
    export.update(mapping={"str::email": "Email", "str::first": "FirstName"}, new_people="not_subscribed")


def test_a_new_export_begins_on_the_only_connection_with_the_fields_of_its_account(world: World, tab: Tab) -> None:
    tab.sign_in("#/segments/LoyaltyGold")
    tab.settles()
    expect(tab.page.get_by_role("heading", name="Suggested fields")).to_have_count(0)
    tab.button("New export").click()
    expect(tab.page.get_by_label("Where contacts go")).to_have_value("main")
    expect(tab.page.get_by_role("combobox", name="Column for First name")).to_have_value("FirstName")
    expect(tab.page.get_by_text("MailingCity")).to_have_count(0)
    expect(tab.page.get_by_role("group", name="New people")).to_be_visible()


def test_an_export_keeps_its_address_while_its_account_says_nothing(world: World, tab: Tab) -> None:
    alter(tab, "exports/loyalty", as_ortto)
    refuse(tab, FIELDS, 502, code="autopilot_unavailable", detail="No answer.")
    tab.sign_in("#/exports/loyalty/edit")
    expect(tab.page.get_by_text("The account has not told its fields yet.")).to_be_visible()
    expect(tab.page.get_by_text("The e-mail address is missing")).to_have_count(0)
    expect(tab.button("Remove str::email")).to_have_count(0)
    expect(tab.page.get_by_label("Add a field")).to_have_count(0)


def test_a_new_export_is_not_begun_with_fields_of_autopilot_while_its_account_says_nothing(
    world: World, tab: Tab
) -> None:
    refuse(tab, FIELDS, 502, code="autopilot_unavailable", detail="No answer.")
    tab.sign_in("#/new-export?segment=LoyaltyGold")
    expect(tab.page.get_by_text("The account has not told its fields yet.")).to_be_visible()
    expect(tab.page.get_by_role("combobox", name="Column for")).to_have_count(0)
    tab.button("Add it").click()
    expect(tab.page.get_by_role("combobox", name="Column for str::email")).to_be_visible()


def test_fields_that_nobody_touched_stay_while_the_account_is_asked_about_another_first_segment(
    world: World, tab: Tab
) -> None:
    tab.sign_in("#/new-export?segment=LoyaltyGold")
    first = tab.page.get_by_role("combobox", name="Column for First name")
    expect(first).to_have_value("FirstName")
    refuse(tab, FIELDS, 502, code="autopilot_unavailable", detail="No answer.")
    with tab.page.expect_response(lambda response: FIELDS in response.url and response.status == 502):
        tab.page.get_by_role("checkbox", name="Send LapsedCustomers").check()
        tab.page.get_by_role("checkbox", name="Send LoyaltyGold").uncheck()
    expect(tab.page.get_by_label("List of LoyaltyGold")).to_have_count(0)
    expect(first).to_have_value("FirstName")
    expect(tab.page.get_by_role("combobox", name="Column for Email")).to_have_value("Email")


def test_a_segment_that_is_ticked_brings_no_fields_of_autopilot_while_the_account_says_nothing(
    world: World, tab: Tab
) -> None:
    refuse(tab, FIELDS, 502, code="autopilot_unavailable", detail="No answer.")
    tab.sign_in("#/new-export?connection=main")
    tab.settles()
    tab.page.get_by_role("checkbox", name="Send LoyaltyGold").check()
    expect(tab.page.get_by_text("The account has not told its fields yet.")).to_be_visible()
    expect(tab.page.get_by_role("combobox", name="Column for")).to_have_count(0)


def test_a_new_export_asks_who_may_be_mailed_before_it_asks_the_app(world: World, tab: Tab) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    tab.sign_in("#/new-export?segment=LoyaltyGold")
    beside = tab.page.get_by_role("complementary")
    expect(beside).to_contain_text("Choose whether new people are subscribed.")
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    tab.button("Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("New people: Choose whether new people are subscribed.")
    assert asked == []


def test_a_run_waits_for_the_account(world: World, tab: Tab) -> None:
    run = world.api.get("exports/loyalty")["last_run"]["id"]
    going = {"status": "Processing", "ended_at": None, "waits_for": "autopilot", "waits_until": "2026-11-29T08:00:00Z"}
    alter(tab, f"exports/loyalty/runs/{run}", lambda shown: shown.update(going))
    tab.sign_in(f"#/exports/loyalty/runs/{run}")
    expect(tab.page.get_by_text("Waits for the account, which does not answer")).to_be_visible()


def test_a_row_is_refused_by_the_account(world: World, tab: Tab) -> None:
    run = world.api.get("exports/loyalty")["last_run"]["id"]

    def refused(found: dict[str, Any]) -> None:
        found["groups"] = [{**group, "reason": "refused_by_autopilot"} for group in found["groups"]]

    alter(tab, f"exports/loyalty/runs/{run}/rejected/summary", refused)
    tab.sign_in(f"#/exports/loyalty/runs/{run}")
    expect(tab.page.get_by_text("Refused by the account").first).to_be_visible()
    expect(tab.page.get_by_text("autopilot")).to_have_count(0)
