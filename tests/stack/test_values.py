"""What a cell holds and what arrives at Autopilot, on the whole stack: the cases of `values.json`, and what a run says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests

from local.world import KEY, World, adds_up, people

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "values.json").read_text())["cases"]
ABSENT = "<absent>"


def put(world: World, case: dict[str, Any], step: list[Any]) -> None:
    """Write a refresh: each partition is rows, or a file's text."""
    container, _, folder = world.stack.source_path.partition("/")
    client = world.source.get_container_client(container)
    if not client.exists():
        client.create_container()
    partitions = []
    for number, rows in enumerate(step):
        table = pl.DataFrame(rows, schema=case["columns"], orient="row") if isinstance(rows, list) else None
        text = rows if table is None else table.write_csv(quote_style="always")
        blob = client.get_blob_client(f"{folder}/Case/Case_{number}.csv")
        blob.upload_blob(text.encode(), overwrite=True)
        settings = {"$type": "CsvFormatSettings", "columnHeaders": True}
        partitions.append({"name": f"Case_{number}", "location": blob.url, "fileFormatSettings": settings})
    entity = {
        "$type": "LocalEntity",
        "name": "Case",
        "attributes": [{"name": name, "dataType": "string"} for name in case["columns"]],
        "partitions": partitions,
    }
    model = {"name": "BlobExport", "version": "1.0", "modifiedTime": f"{datetime.now(UTC)}", "entities": [entity]}
    client.upload_blob(f"{folder}/model.json", json.dumps(model), overwrite=True)


def write_at_autopilot(world: World, contacts: list[dict[str, Any]]) -> None:
    for contact in contacts:
        headers = {"autopilotapikey": KEY}
        answer = requests.post(
            f"{world.stack.sandbox_url}/v1/contact", json={"contact": contact}, headers=headers, timeout=10
        )
        assert answer.ok, answer.text


def value_of(contact: dict[str, Any], field: str) -> object:
    """Return a field's value as Autopilot has it."""
    if "--" not in field:
        return contact.get(field, ABSENT)
    label = field.partition("--")[2].replace("--", " ")
    return next((item["value"] for item in contact.get("custom_fields", ()) if item["kind"] == label), ABSENT)


def holds(world: World, expected: dict[str, dict[str, list[object]]], *, always: bool) -> None:
    """Assert that contacts hold one of the values that are right; those that may be missing, if they are there."""
    for email, fields in expected.items():
        contact = world.look(f"contacts/{email}")
        if "Email" not in contact:
            assert not always, f"{email} did not arrive"
            continue
        for field, right in fields.items():
            assert value_of(contact, field) in right, (email, field, value_of(contact, field))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_right_value_arrives(world: World, case: dict[str, Any]) -> None:
    world.connect()
    name, expected, given = case["id"][:60], case["expect"], case.get("given", {})
    run: dict[str, Any] = {}
    for number, step in enumerate(case["steps"]):
        write_at_autopilot(world, given.get(str(number), []))
        put(world, case, step)
        if number == 0:
            settings = {"clear_empty": True} if case.get("clear_empty") else {}
            world.save(name, mapping=case["mapping"], segments=[{"segment": "Case", "list": name}], **settings)
        world.reset_statistics()
        run = world.run(name)
        assert run["status"] in {"Successful", "Completed with warnings"}, run
        assert adds_up(run)
    members = world.members(name)
    assert set(expected.get("members", [])) <= members
    assert not set(expected.get("not_members", [])) & members
    holds(world, expected.get("values", {}), always=True)
    holds(world, expected.get("values_if_there", {}), always=False)
    if expected.get("contacts_last_step") == 0:
        assert run["counts"]["delivered"] == 0
        assert world.look("stats")["writes"] == 0
    if "rejected_file_without" in expected and run["counts"]["rejected"]:
        assert expected["rejected_file_without"] not in world.api.text(f"exports/{name}/runs/{run['id']}/rejected")


def test_a_value_that_is_left_out_is_counted_named_and_previewed(world: World) -> None:
    world.connect()
    table = people("ann@example.com", "ben@example.com", "cid@example.com").with_columns(
        pl.Series("Born", ["1.2.64", "N/A", "1980-02-03"]), pl.Series("Points", ["12 %", "7", "8"])
    )
    world.publish({"Omitted": table})
    mapping = {"Email": "Email", "date--Born": "Born", "integer--Points": "Points"}
    world.save("omitted", segments=["Omitted"], mapping=mapping)
    preview = world.api.post("exports/omitted/preview")
    assert preview["rejected"] == {}
    assert preview["omitted"] == {"date--Born": 1, "integer--Points": 1}
    assert preview["placeholders"] == {"date--Born": 1}
    run = world.run("omitted")
    assert (run["status"], run["reason"]) == ("Completed with warnings", "values_omitted")
    assert adds_up(run)
    assert (run["counts"]["delivered"], run["counts"]["rejected"], run["counts"]["values_omitted"]) == (3, 0, 2)
    assert world.members("Omitted") == {"ann@example.com", "ben@example.com", "cid@example.com"}
    file = world.api.text(f"exports/omitted/runs/{run['id']}/rejected")
    assert file.count("value_omitted") == 2
    assert "The year has two digits" in file
    assert "Take the percent sign off" in file

    world.save("omitted", segments=["Omitted"], mapping=mapping, on_bad_value="reject")
    strict = world.run("omitted")
    assert (strict["reason"], strict["counts"]["rejected"]) == ("rows_rejected", 1)
    assert '"date--Born, integer--Points"' in world.api.text(f"exports/omitted/runs/{strict['id']}/rejected")
    assert world.members("Omitted") == {"ann@example.com", "ben@example.com", "cid@example.com"}
