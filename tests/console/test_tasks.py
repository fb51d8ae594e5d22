"""What people come for, each from the overview, in so many clicks: typing is none, choosing from a list is one."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from local.world import KEY, SIMPLE, World
from tests.console.tab import Tab

RUN = re.compile(r"/runs/([\w-]+)")


def at_overview(tab: Tab) -> None:
    tab.sign_in()
    tab.settles()


def shown_run(tab: Tab, *, after: str = "none") -> str:
    """Wait for the page of a run, which is another than `after`, and return its id."""
    expect(tab.page).to_have_url(re.compile(rf"/runs/(?!{after})"))
    found = RUN.search(tab.page.url)
    assert found
    return found[1]


def test_whether_last_nights_exports_are_well_is_seen_at_once(world: World, tab: Tab) -> None:
    at_overview(tab)
    main = tab.page.locator("main")
    expect(main).to_contain_text("export was not delivered")
    lists = main.get_by_role("table", name="Lists and how fresh they are")
    expect(lists.get_by_role("row", name=re.compile("^Loyalty lists"))).to_contain_text(re.compile(r"\d\d:\d\d CET"))
    expect(tab.link("Too small", main.get_by_role("table", name="The latest runs"))).to_be_visible()
    assert tab.clicks == 0


def test_why_one_failed_and_what_to_do_is_one_click_away(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("Open the run"))
    expect(tab.page.locator("main")).to_contain_text("the export allows 1")
    expect(tab.page.locator("main")).to_contain_text("Make the segments smaller, or raise")
    assert tab.clicks == 1
    tab.click(tab.link("Hold the run above this many profiles"))
    expect(tab.page.get_by_label("Hold the run above this many profiles")).to_be_focused()


def test_an_export_is_run_now_and_watched_to_its_end(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.button("Run Loyalty lists"))
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Added to lists")
    tab.click(dialog.get_by_role("button", name=re.compile("^Start")))
    expect(tab.page.get_by_role("heading", name="Run of Loyalty lists")).to_be_visible()
    assert tab.clicks == 2
    run = world.wait("loyalty", shown_run(tab))
    expect(tab.page.get_by_role("status").first).to_contain_text(run["status"])
    assert run["trigger"] == "on_demand"


def test_rejected_rows_are_seen_by_reason_and_taken_home(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("See the rows"))
    tab.click(tab.page.get_by_role("button", name=re.compile("Email missing")))
    expect(tab.page.locator("main")).to_contain_text("Give the profile an e-mail address in its source.")
    assert tab.clicks == 2
    with tab.page.expect_download() as download:
        tab.click(tab.button("Download CSV").first)
    text = download.value.path().read_text(encoding="utf-8-sig")
    run = tab.page.url.rpartition("/")[2].partition("?")[0]
    assert "email_missing" in text
    assert len(text.splitlines()) - 1 == world.look_at("loyalty", run)["counts"]["rejected"]
    assert tab.clicks == 3


def test_only_the_rejected_rows_are_tried_again(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("See the rows"))
    before = shown_run(tab)
    tab.click(tab.page.get_by_role("button", name=re.compile(r"^Try \d+ rejected again")))
    started = shown_run(tab, after=before)
    assert tab.clicks == 2
    assert world.look_at("loyalty", started)["trigger"] == "rejected_rows"


def test_what_a_run_would_do_is_two_clicks_away(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("Loyalty lists", tab.page.get_by_role("table", name="Lists and how fresh they are")))
    tab.click(tab.button("Preview"))
    expect(tab.page.get_by_role("dialog")).to_contain_text("Removed from lists")
    assert tab.clicks == 2


def test_a_new_export_is_made_from_a_segment_with_its_suggested_fields(world: World, tab: Tab) -> None:
    tab.expected.add("404")  # whether the name is free
    at_overview(tab)
    tab.click(tab.link("Segments", tab.page.get_by_role("navigation", name="Screens")))
    tab.click(tab.link("Customer"))
    tab.click(tab.button("New export"))
    tab.choose(tab.page.get_by_label("Where contacts go"), "main")
    tab.click(tab.button("Save"))
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    assert tab.clicks == 5
    (saved,) = [item for item in world.api.get("exports")["items"] if item["segments"][0]["segment"] == "Customer"]
    assert saved["mapping"]["Email"] == "Email"
    assert len(saved["mapping"]) > 5
    assert world.runs(saved["name"]) == []


def test_a_segment_is_added(world: World, tab: Tab) -> None:
    world.save(
        "changed", display_name="To change", segments=[{"segment": "LapsedCustomers", "list": "L1"}], mapping=SIMPLE
    )
    tab.expected.add("409")  # the preview with the list that is offered, where typing another takes long
    at_overview(tab)
    tab.click(tab.link("To change", tab.page.get_by_role("table", name="Lists and how fresh they are")))
    tab.click(tab.link("Edit").or_(tab.button("Edit")).first)
    tab.click(tab.page.get_by_role("checkbox", name="Send NewsletterSubscribers"))
    tab.page.get_by_label("List of NewsletterSubscribers").fill("L2")
    tab.click(tab.button("Save"))
    expect(tab.page.get_by_text("Nothing ran by saving").first).to_be_visible()
    assert tab.clicks == 4
    assert [item["list"] for item in world.api.get("exports/changed")["segments"]] == ["L1", "L2"]


def test_why_a_person_is_not_on_a_list_is_two_clicks_and_an_address(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("Find a person", tab.page.get_by_role("navigation", name="Screens")))
    tab.page.get_by_label("E-mail address").fill("nobody-we-know@example.com")
    tab.click(tab.button("Find"))
    expect(tab.page.locator("main")).to_contain_text("Loyalty lists")
    tab.settles()
    assert tab.clicks == 2
    assert not any("nobody-we-know" in url for url in tab.asked)


def test_a_list_is_proved_right_and_one_that_is_not_is_mended(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("Loyalty lists", tab.page.get_by_role("table", name="Lists and how fresh they are")))
    tab.click(tab.button("Verify"))
    run = world.wait("loyalty", shown_run(tab))
    assert run["trigger"] == "verify"
    expect(tab.page.locator("main")).to_contain_text("holds exactly what was delivered")
    assert tab.clicks == 2


def test_an_export_is_paused(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.button("Pause Loyalty lists"))
    tab.click(tab.button("Pause"))
    expect(tab.page.locator("main")).to_contain_text("is paused")
    assert tab.clicks == 2
    assert world.api.get("exports/loyalty")["schedule"]["on"] == "off"


def test_a_run_is_canceled(world: World, tab: Tab) -> None:
    world.save("slow", display_name="Slow", segments=[{"segment": "Customer", "list": "Slow"}], mapping=SIMPLE)
    with world.put_back():
        world.turn(latency_ms=1000)
        run = world.start("slow")
        tab.sign_in(f"#/exports/slow/runs/{run}")
        tab.click(tab.page.get_by_role("button", name=re.compile("^Cancel")))
        tab.click(tab.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Cancel")))
        expect(tab.page.locator("main")).to_contain_text("The run stops")
    assert tab.clicks == 2
    assert world.wait("slow", run)["status"] == "Canceled"
    expect(tab.page.get_by_role("status").filter(has_text="Canceled")).to_be_visible()


def test_who_changed_an_export_is_two_clicks_away(world: World, tab: Tab) -> None:
    at_overview(tab)
    tab.click(tab.link("Loyalty lists", tab.page.get_by_role("table", name="Lists and how fresh they are")))
    tab.click(tab.link("Changes"))
    trail = tab.page.get_by_role("table", name="Audit trail")
    expect(trail.get_by_role("row", name=re.compile("Saved the export")).first).to_contain_text("function-key")
    assert tab.clicks == 2


def test_the_trail_of_one_export_is_chosen_and_stays_chosen(world: World, tab: Tab) -> None:
    tab.sign_in("#/audit")
    tab.settles()
    trail = tab.page.get_by_role("table", name="Audit trail")
    expect(trail).to_contain_text("Too small")
    expect(trail).to_contain_text("Main account")
    tab.page.get_by_role("combobox", name="Export").select_option("loyalty")
    expect(trail).not_to_contain_text("Too small")
    expect(trail.get_by_role("link", name="Loyalty lists").first).to_be_visible()
    assert tab.faults_of_access() == []
    tab.page.reload()
    tab.settles()
    expect(tab.page.get_by_role("combobox", name="Export")).to_have_value("loyalty")
    expect(trail).not_to_contain_text("Too small")


def test_a_connection_is_made_with_its_consent(world: World, tab: Tab) -> None:
    tab.expected.add("404")  # whether the name is free
    at_overview(tab)
    tab.click(tab.link("Connections", tab.page.get_by_role("navigation", name="Screens")))
    tab.click(tab.link("Add connection").or_(tab.button("Add connection")).first)
    tab.page.get_by_label("Display name").fill("Second account")
    tab.page.get_by_label("API key").fill(KEY)
    tab.click(tab.page.get_by_role("checkbox", name="I agree"))
    tab.click(tab.page.get_by_role("button", name=re.compile("^(Save|Connect)")))
    expect(tab.page.locator("main")).to_contain_text("Second account")
    expect(tab.page).to_have_url(re.compile("#/connections/second-account"))
    assert tab.clicks == 4
    assert world.api.get("connections/second-account")["consent"]["by"] == "function-key"
    assert KEY not in tab.page.content()
