"""A preview says what a run would do, and takes nothing of the account's pace from a run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.world import SIMPLE, World, people


@pytest.fixture
def export(world: World) -> World:
    world.publish({"Team": people("ann@example.com", "ben@example.com"), "Few": people("ann@example.com")})
    world.connect()
    world.save("seen", segments=["Team", "Few"], mapping=SIMPLE, schedule={"on": "off"})
    return world


def lists_asked(world: World) -> int:
    calls: dict[str, int] = world.look("stats")["calls"]
    return sum(count for name, count in calls.items() if name.startswith("GET") and "list" in name)


def test_thirty_previews_spend_one_call_of_the_account(export: World) -> None:
    export.api.post("exports/seen/preview")  # the first one also makes the installation's digest key
    export.reset_statistics()
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: export.api.post("exports/seen/preview")["joiners"], range(30)))
    assert found == [3] * 30
    assert lists_asked(export) <= 1
    assert export.look("stats")["requests"] <= 1


def test_the_calls_expected_are_the_calls_made(export: World) -> None:
    export.run("seen")  # which proves how this account's lists are filled
    others = [{"segment": name, "list": f"Other {name}"} for name in ("Team", "Few")]
    export.save("counted", segments=others, mapping=SIMPLE, schedule={"on": "off"})
    expected = export.api.post("exports/counted/preview")["calls"]
    overhead = export.run("counted")["counts"]["requests"] - expected
    assert expected == 3  # two contacts go on the first list as they are sent, one on the second by a call of its own
    assert 0 <= overhead <= 12  # the account's lists, two that are made, a look at each in the end


def test_a_list_that_a_run_has_just_made_is_known_to_the_next_preview(export: World) -> None:
    """Previews share what the account said a moment ago, which may be from before the run."""
    lists = [{"segment": name, "list": f"Made just now of {name}"} for name in ("Team", "Few")]
    export.save("made", segments=lists, mapping=SIMPLE, schedule={"on": "off"})
    assert export.api.post("exports/made/preview")["joiners"] == 3
    export.run("made")
    assert export.api.post("exports/made/preview")["joiners"] == 0


def test_a_preview_does_not_forget_a_list_that_is_gone(export: World) -> None:
    """What becomes of a list is a run's to learn: a verification after it still knows who was on the list."""
    export.run("seen")
    before = export.members("Team")
    requests.delete(f"{export.stack.sandbox_url}/sandbox/lists/{export.list_ids()['Team']}", timeout=10)
    export.api.post("exports/seen/preview")
    found = export.wait("seen", export.api.post("exports/seen/verify")["run"])
    gone = next(item for item in found["findings"] if item["list"] == "Team")
    assert (gone["exists"], gone["expected"], gone["missing"]) == (False, len(before), len(before))


def test_a_segment_whose_blob_is_gone_answers_for_itself(export: World) -> None:
    """The others are listed and counted; saving an export of it warns."""
    container, _, folder = export.stack.source_path.partition("/")
    client = export.source.get_container_client(container)
    for blob in list(client.list_blob_names(name_starts_with=f"{folder}/Few/")):
        client.delete_blob(blob)
    found = {item["name"]: item for item in export.api.get("segments")["items"]}
    assert found["Team"]["members"] == 2
    assert found["Few"]["members"] is None
    assert "does not exist" in (found["Few"]["not_counted"] or found["Few"]["why_not"])
    saved = export.save("warned", segments=[{"segment": "Few", "list": "Warned"}], mapping=SIMPLE)
    assert saved["members"] == {"Few": None}
    assert any("'Few' could not be counted" in warning for warning in saved["warnings"])
