"""What happens seldom, shown truthfully: answers that are forced, and others who were faster. Nothing typed is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from local.environment import Company
from local.world import SIMPLE, World
from tests.console.answers import alter, as_role, refuse
from tests.console.tab import Tab


def test_what_a_segment_becomes_has_the_word_that_its_destination_has_for_it(world: World, tab: Tab) -> None:
    alter(tab, "exports/loyalty", lambda export: export.update(list_word="tag"))
    tab.sign_in("#/exports/loyalty/lists")
    expect(tab.page.get_by_role("heading", name="Tags")).to_be_visible()
    expect(tab.page.get_by_role("columnheader", name="Tag", exact=True)).to_be_visible()
    expect(tab.page.locator(".truth")).to_contain_text("people on 3 tags")


def test_a_sign_in_that_ends_in_the_middle_of_an_edit_loses_nothing(world: World, tab: Tab) -> None:
    tab.sign_in("#/exports/loyalty/edit")
    name = tab.page.get_by_label("Display name")
    name.fill("Typed before the sign-in ended")
    refuse(tab, "exports/loyalty", 401, "PUT")
    tab.button("Save").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("What you typed is kept")
    tab.page.unroute_all()
    dialog.get_by_label("Function key").fill(tab.key)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(name).to_have_value("Typed before the sign-in ended")
    tab.button("Save").click()
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    assert world.api.get("exports/loyalty")["display_name"] == "Typed before the sign-in ended"
    world.save("loyalty", display_name="Loyalty lists")


def test_of_two_who_edit_the_second_sees_both_and_chooses(world: World, tab: Tab) -> None:
    segments = [{"segment": "LapsedCustomers", "list": "Both"}]
    world.save("both", display_name="First", segments=segments, mapping=SIMPLE)
    tab.expected.add("412")
    tab.sign_in("#/exports/both/edit")
    tab.page.get_by_label("Display name").fill("Mine")
    tab.settles()
    world.save("both", display_name="Theirs", segments=segments, mapping=SIMPLE, max_profiles=77)
    tab.button("Save").click()
    expect(tab.page.locator("main")).to_contain_text("saved this export while you were editing it")
    assert tab.faults_of_access() == []
    assert world.api.get("exports/both")["display_name"] == "Theirs"
    tab.button("Mine over theirs").click()
    tab.button("Save").click()
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    saved = world.api.get("exports/both")
    assert (saved["display_name"], saved["max_profiles"]) == ("Mine", 77)


def test_a_run_that_is_going_already_is_linked(world: World, tab: Tab) -> None:
    world.save("busy", display_name="Busy", segments=[{"segment": "Customer", "list": "Busy"}], mapping=SIMPLE)
    tab.expected.add("409")
    tab.sign_in("#/exports")
    tab.settles()
    with world.put_back():
        world.turn(latency_ms=300)
        tab.button("Run Busy").click()
        run = world.start("busy")
        tab.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Start")).click()
        expect(tab.page.get_by_role("dialog").locator(f"a[href*='{run}']")).to_be_visible()
    world.wait("busy", run)


def test_what_the_caller_may_not_do_is_said_with_the_role_that_may(world: World, tab: Tab) -> None:
    alter(tab, "me", as_role("viewer"))
    refuse(tab, "audit", 403, code="role_too_low", detail="This needs the role of admin.")
    tab.sign_in("#/audit")
    expect(tab.page.locator("main")).to_contain_text("Exports.Admin")
    for place in ("#/new-connection", "#/connections/main", "#/new-export", "#/exports/loyalty/edit", "#/person"):
        tab.open(place)
        tab.settles()
        expect(tab.page.locator("main")).to_contain_text(re.compile(r"Exports\.(Admin|Contributor)"))
        assert tab.faults_of_access() == []
    tab.open("#/exports/loyalty")
    tab.settles()
    expect(tab.button("Run")).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("place", ["", "exports", "segments", "connections", "audit"])
def test_an_app_that_has_trouble_is_shown_and_tried_again(world: World, tab: Tab, place: str) -> None:
    tab.page.clock.install()
    tab.sign_in("#/health")
    refuse(
        tab,
        "(exports|segments|connections|audit|runs)",
        503,
        code="storage_unavailable",
        detail="Not now, said the app.",
    )
    tab.open(f"#/{place}")
    expect(tab.page.locator("main")).to_contain_text("Not now, said the app.")
    assert tab.faults_of_access() == []

    tab.open("#/health")
    # From now on the page does not try again by itself.
    tab.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    tab.open(f"#/{place}")
    tab.settles()
    expect(tab.page.locator("main")).to_contain_text("Not now, said the app.")
    tab.page.unroute_all()
    tab.button("Try again").first.click()
    tab.settles()
    expect(tab.page.locator("main")).not_to_contain_text("Not now, said the app.")


def test_a_slow_answer_is_said_to_be_waited_for(world: World, tab: Tab) -> None:
    held: list[Route] = []
    tab.sign_in("#/health")
    tab.page.route(re.compile("/api/segments"), lambda route: held.append(route))
    tab.open("#/segments")
    expect(tab.page.get_by_text("The app is waking up")).to_be_visible()
    assert tab.faults_of_access() == []
    for route in held:
        route.continue_()
    expect(tab.link("LoyaltyGold")).to_be_visible()


def test_an_answer_that_cannot_be_read_is_said(world: World, tab: Tab) -> None:
    tab.sign_in("#/health")
    tab.page.route(
        re.compile("/api/connections"), lambda route: route.fulfill(content_type="application/json", body='{"items": [')
    )
    tab.open("#/connections")
    expect(tab.page.locator("main")).to_contain_text("could not be read")


def test_an_app_that_restarts_under_the_page_is_waited_for(world: World, tab: Tab) -> None:
    tab.expected.add("FAILED")
    tab.sign_in("#/exports")
    tab.settles()
    tab.page.route(re.compile("/api/"), lambda route: route.abort())
    tab.open("#/connections")
    expect(tab.page.locator("main")).to_contain_text("The app did not answer")
    tab.page.unroute_all()
    expect(tab.link("main account").or_(tab.link("Main account")).first).to_be_visible()


def test_two_million_members_are_shown_in_figures_that_can_be_read(world: World, tab: Tab) -> None:
    def change(page: dict[str, Any]) -> None:
        for item in page["items"]:
            item["members"] = 2_000_000

    alter(tab, "segments", change)
    tab.sign_in("#/segments")
    expect(tab.page.get_by_role("cell", name="2,000,000").first).to_be_visible()


def test_a_run_that_ended_between_two_looks_is_seen_to_have_ended_and_asked_for_no_more(world: World, tab: Tab) -> None:
    run = world.runs("loyalty")[0]["id"]
    looks: list[str] = []

    def still_going(found: dict[str, Any]) -> None:
        looks.append(run)
        if len(looks) == 1:
            found.update(status="Processing", reason=None, advice=None, ended_at=None)

    alter(tab, f"exports/loyalty/runs/{run}", still_going)
    tab.page.clock.install()
    tab.sign_in(f"#/exports/loyalty/runs/{run}")
    expect(tab.page.get_by_role("status").filter(has_text="ended")).to_be_visible()
    tab.page.clock.run_for(120_000)
    tab.button("Copy link").hover()
    assert len(looks) == 2


def test_a_segment_that_vanished_is_said_where_it_is_asked_for(world: World, tab: Tab) -> None:
    tab.expected.update({"404", "409", "422"})
    tab.sign_in("#/segments/Gone")
    tab.settles()
    expect(tab.page.locator("main")).to_contain_text("There is no such segment")


def test_a_verification_does_not_hide_that_a_guard_held_the_delivery(world: World, tab: Tab) -> None:
    held = {"display_name": "Held", "segments": [{"segment": "Customer", "list": "Held"}], "mapping": SIMPLE}
    world.save("held", **held)
    world.run("held")
    world.publish_company(Company.found(400))  # anew
    world.save("held", **held, max_profiles=1)
    assert world.run("held")["reason"] == "over_limit"
    world.wait("held", world.api.post("exports/held/verify")["run"])
    tab.sign_in()
    tab.settles()
    needy = tab.page.locator(".attention").get_by_role("listitem").filter(has=tab.page.get_by_role("link", name="Held"))
    expect(needy).to_contain_text("The segments hold more profiles than the export allows.")
    lists = tab.page.get_by_role("table", name="Lists and how fresh they are")
    expect(lists.get_by_role("row", name=re.compile("^Held"))).to_contain_text("behind")
    tab.open("#/exports?status=Skipped")
    tab.settles()
    expect(tab.link("Held")).to_be_visible()
    tab.open("#/exports/held")
    tab.settles()
    expect(tab.page.locator(".bar.warning")).to_contain_text("Make the segments smaller")
    expect(tab.page.locator(".bar.good")).to_contain_text("holds exactly what was delivered")
    world.api.delete("exports/held")


def test_an_export_without_a_connection_says_so_where_it_would_run(world: World, tab: Tab) -> None:
    world.save("loose", display_name="Loose", connection=None, segments=[{"segment": "Customer", "list": "L"}])
    tab.sign_in()
    tab.settles()
    row = tab.page.get_by_role("table", name="Lists and how fresh they are").get_by_role(
        "row", name=re.compile("Loose")
    )
    expect(row).to_contain_text("Not without a connection")
    tab.open("#/person")
    tab.settles()
    expect(tab.page.locator("main")).to_contain_text("no connection that you may use: Loose")
    scheduled = [item for item in world.api.get("exports")["items"] if item["next_run"] and item["connection"]]
    tab.open("#/exports")
    tab.settles()
    tab.button("Run all").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(f"{len(scheduled)} export")
    world.api.delete("exports/loose")


def test_who_pauses_an_export_is_told_the_times_that_are_lost_by_it(world: World, tab: Tab) -> None:
    segments = [{"segment": "LapsedCustomers", "list": "Times"}]
    schedule = {"on": "cron", "cron": "30 6 * * 1-5", "time_zone": "Europe/Berlin"}
    world.save("times", display_name="Times", segments=segments, mapping=SIMPLE, schedule=schedule)
    tab.sign_in("#/exports/times")
    tab.button("Pause").click()
    lost = "Its times are not kept: Monday to Friday at 06:30 (Europe/Berlin)."
    expect(tab.page.get_by_role("dialog")).to_contain_text(lost)


def test_a_preview_says_which_values_would_be_left_out(world: World, tab: Tab) -> None:
    alter(tab, "exports/loyalty/preview", lambda found: found.update(omitted={"date--Born": 1234, "Phone": 2}))
    tab.sign_in("#/exports/loyalty")
    tab.button("Preview").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("1,234 of Born (date) and 2 of Phone")
