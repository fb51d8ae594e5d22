"""A preview says what a run would do, and takes nothing of the account's pace from a run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from export_trigger.http.long_preview import PreviewRecord
from local.eventually import eventually
from local.world import SIMPLE, World, people
from shared.runs.run_id import new_run_id


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
    requests.delete(f"{export.stack.sandbox_url}/sandbox/lists/{export.list_ids()['Team']}", timeout=60)
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


def ask_shortly(world: World, export: str, body: object = None) -> requests.Response:
    """Ask for a preview without waiting for it."""
    headers = {"x-functions-key": world.stack.function_key, "Prefer": "wait=0"}
    return requests.post(f"{world.stack.api_url}/exports/{export}/preview", json=body, headers=headers, timeout=60)


def fetched(world: World, asked: requests.Response) -> requests.Response:
    """Fetch what a preview came to, as soon as it is there."""
    url = asked.headers["Location"].removeprefix("/api")
    headers = {"x-functions-key": world.stack.function_key}

    def look() -> requests.Response:
        return requests.get(f"{world.stack.api_url}{url}", headers=headers, timeout=60)

    return eventually(look, lambda answer: answer.status_code != 202)


def test_a_preview_that_takes_long_goes_on_and_is_fetched(export: World) -> None:
    """It touches neither the run that is going nor what was delivered, and leaves no contact in storage."""
    whole = export.api.post("exports/seen/preview")
    before = (export.runs("seen"), export.api.get("exports/seen"))
    export.reset_statistics()
    asked = ask_shortly(export, "seen")
    assert (asked.status_code, asked.content, asked.headers["Retry-After"]) == (202, b"", "5")
    found = fetched(export, asked)
    assert (found.status_code, found.json()) == (200, {**whole, "examples": []})
    assert export.look("stats")["writes"] == 0
    assert (export.runs("seen"), export.api.get("exports/seen")) == before
    with BlobServiceClient.from_connection_string(export.stack.storage) as blobs:
        kept = blobs.get_container_client("previews")
        assert not [blob for blob in kept.list_blob_names() if b"@" in kept.download_blob(blob).readall()]


def test_a_preview_that_came_to_nothing_says_so_where_it_is_fetched(export: World) -> None:
    export.save("loose", connection=None, segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    at_once = export.refused("POST", "exports/loose/preview")
    found = fetched(export, ask_shortly(export, "loose"))
    assert (found.status_code, found.json()["code"], found.json()["detail"]) == (409, at_once.code, str(at_once))


def test_a_draft_that_takes_long_is_refused_at_once_or_fetched(export: World) -> None:
    draft = {"display_name": "x", "connection": "main", "segments": ["Team", "Few"], "mapping": SIMPLE}
    assert ask_shortly(export, "seen", {**draft, "segments": ["Nobody"]}).status_code == 422
    found = fetched(export, ask_shortly(export, "seen", {**draft, "mapping": {"Email": "Email"}}))
    assert (found.status_code, found.json()["rows_read"]) == (200, 3)


def test_a_preview_whose_instance_died_is_asked_for_again(export: World) -> None:
    """Nothing is heard of it any more; and of one that nobody asked for there is nothing."""
    preview = new_run_id(datetime.now(UTC))
    assert export.refused("GET", f"exports/seen/previews/{preview}").code == "preview_not_found"
    silent = PreviewRecord(alive_at=datetime.now(UTC) - timedelta(minutes=2))
    with BlobServiceClient.from_connection_string(export.stack.storage) as blobs:
        kept = blobs.get_container_client("previews")
        kept.upload_blob(f"seen/{preview}.json", silent.model_dump_json().encode())
    refused = export.refused("GET", f"exports/seen/previews/{preview}")
    assert (refused.status, refused.code) == (503, "preview_interrupted")


@pytest.mark.parametrize(
    "kept", [b"", b"{", b'{"alive_at": "yesterday"}', b'{"alive_at": "2026-11-29T00:00:00Z", "found": {"profiles": 1}}']
)
def test_a_preview_that_is_damaged_or_of_another_version_is_asked_for_again(export: World, kept: bytes) -> None:
    preview = new_run_id(datetime.now(UTC))
    with BlobServiceClient.from_connection_string(export.stack.storage) as blobs:
        blobs.get_blob_client("previews", f"seen/{preview}.json").upload_blob(kept)
    assert export.refused("GET", f"exports/seen/previews/{preview}").code == "preview_not_found"
