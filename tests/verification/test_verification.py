"""Verification: what a list holds against what we delivered, and the state brought to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from shared.cleaning.clean import clean
from shared.destinations.autopilot.account import seen_of
from shared.destinations.autopilot.fields import FIELDS as AUTOPILOT_FIELDS
from shared.state.digests import DigestKey
from shared.state.state import SCHEMA, State
from shared.verification.comparison import ListComparison, compared_fields, correct, expect, observe
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

KEY = DigestKey.new()
RECIPE = recipe_for({"Email": "Email", "FirstName": "Name", "integer--Points": "Points", "date--Last--Visit": "Visit"})
FIELDS = compared_fields(RECIPE.mapping, RECIPE.fields)


def read_back(contacts: Sequence[dict[str, Any]], fields: Sequence[str], key: DigestKey) -> pl.DataFrame:
    return observe([seen_of(item) for item in contacts], fields, AUTOPILOT_FIELDS, key)


def read(*people: tuple[str, str | None, str | None]) -> pl.DataFrame:
    table = pl.DataFrame(
        [(f"c{n}", email, name, points, "2016-11-22") for n, (email, name, points) in enumerate(people)],
        schema=dict.fromkeys(["CustomerId", "Email", "Name", "Points", "Visit"], pl.String),
        orient="row",
    )
    return batch(table)


def rows(*people: tuple[str, str | None, str | None]) -> pl.DataFrame:
    return expect(clean(read(*people), RECIPE), FIELDS, AUTOPILOT_FIELDS, KEY)


def contact(email: str, name: str | None = "Ann", points: int | None = 7, **more: Any) -> dict[str, Any]:
    """Return a contact as the API reads it back: custom fields as a list of kinds (recorded)."""
    fields = [
        {"kind": "Points", "value": points, "fieldType": "integer", "deleted": False},
        {"kind": "Last Visit", "value": "2016-11-22T00:00:00.000Z", "fieldType": "date", "deleted": False},
    ]
    return {"contact_id": f"person_{email}", "Email": email, "FirstName": name, "custom_fields": fields, **more}


def state(expected: pl.DataFrame, *, attempted: tuple[str, ...] = ()) -> State:
    """Return the state after the rows were delivered to one list; those in `attempted` had no answer."""
    unanswered = pl.Series([KEY.of_person(email) for email in attempted], dtype=pl.Int128)
    asked = pl.col("person").is_in(unanswered.implode())
    people = expected.select(
        "person",
        pl.lit("person_").alias("contact_id"),
        "content",
        pl.when(asked).then(0).otherwise(1).cast(pl.UInt64).alias("lists"),
        pl.when(asked).then(1).otherwise(0).cast(pl.UInt64).alias("attempted"),
    )
    return State(("list-a",), people.cast(SCHEMA))


def compare(held: State, read: list[dict[str, Any]], expected: pl.DataFrame) -> tuple[int, int, int]:
    """Compare a list; whoever is there is under the id that we know."""
    observed = read_back(read, FIELDS, KEY)
    known = observed.filter(pl.col("person").is_not_null()).unique("person").select("person", read="contact_id")
    people = held.people.join(known, on="person", how="left")
    people = people.with_columns(pl.coalesce("read", "contact_id").alias("contact_id")).drop("read")
    comparison = ListComparison(people, 0, observed)
    comparison.look_at(expected)
    result = comparison.result()
    return result.missing.len(), result.extra, result.drifted.len()


ANN = ("ann@example.com", "Ann", "7")
BEN = ("ben@example.com", "Ann", "7.0")


def test_a_list_that_holds_what_was_delivered_is_equal() -> None:
    expected = rows(ANN, BEN)
    assert compare(state(expected), [contact("ann@example.com"), contact("BEN@example.com ")], expected) == (0, 0, 0)


def test_missing_and_extra_members_are_counted() -> None:
    expected = rows(ANN, BEN)
    nameless = {"contact_id": "person_x"}  # the recording shows contacts without an address
    read = [contact("ann@example.com"), contact("guest@example.com"), nameless]
    assert compare(state(expected), read, expected) == (1, 2, 0)


def test_a_contact_that_comes_twice_counts_once() -> None:
    expected = rows(ANN)
    assert compare(state(expected), [contact("guest@example.com")] * 2 + [contact("ann@example.com")], expected) == (
        0,
        1,
        0,
    )


def test_contacts_without_an_id_are_not_one_and_the_same() -> None:
    expected = rows(ANN, BEN)
    nameless = [{"Email": "ann@example.com"}, {"Email": "ben@example.com"}]
    comparison = ListComparison(state(expected).people, 0, read_back(nameless, FIELDS, KEY))
    assert comparison.result().missing.is_empty()


def test_a_member_who_was_delivered_by_a_damaged_address_once_is_no_missing_one() -> None:
    """Such an address is none by now. Its member stays known by it, and a repair must not forget who is to leave one day."""
    damaged = "m\ufffdller@example.com"
    known = rows(ANN).with_columns(pl.lit(KEY.of_person(damaged), pl.Int128).alias("person"))
    there = [contact("M\ufffdller@example.com ")]
    assert compare(state(known), there, known) == (0, 0, 0)
    observed = read_back(there, FIELDS, KEY)
    repaired = correct(state(known), ["list-a"], [observed], pl.Series(dtype=pl.Int128))
    assert repaired.people["lists"].to_list() == [1]


@pytest.mark.parametrize(
    ("changed", "drifted"),
    [
        ({"name": "Other"}, 1),
        ({"name": None}, 1),
        ({"points": 8}, 1),
        ({"points": None}, 1),
        ({"points": 7.0}, 0),
        ({"LastName": "not mapped, so not ours"}, 0),
        ({"custom_fields": []}, 1),
        ({"custom_fields": "nonsense"}, 1),
    ],
)
def test_other_values_are_drift_if_we_sent_the_field(changed: dict[str, Any], drifted: int) -> None:
    expected = rows(ANN)
    assert compare(state(expected), [contact("ann@example.com", **changed)], expected) == (0, 0, drifted)


def test_an_empty_text_and_no_value_are_the_same() -> None:
    """A contact made by the API was recorded with empty texts; null and absent mean the same."""
    expected = expect(
        clean(read(("ann@example.com", None, "7")), replace(RECIPE, clear_empty=True)), FIELDS, AUTOPILOT_FIELDS, KEY
    )
    assert compare(state(expected), [contact("ann@example.com", name="")], expected) == (0, 0, 0)
    assert compare(state(expected), [contact("ann@example.com", name="Ann")], expected) == (0, 0, 1)


def test_a_permission_is_never_compared() -> None:
    assert compared_fields({"Email": "Email", "unsubscribed": "No", "FirstName": "Name"}, AUTOPILOT_FIELDS) == [
        "FirstName"
    ]


def test_a_value_that_was_not_sent_is_not_judged() -> None:
    expected = rows(("ann@example.com", None, "7"))
    assert compare(state(expected), [contact("ann@example.com", name="by hand")], expected) == (0, 0, 0)


def test_a_row_that_changed_since_it_was_delivered_is_the_next_runs_business() -> None:
    delivered, now = rows(ANN), rows(("ann@example.com", "Anna", "7"))
    assert compare(state(delivered), [contact("ann@example.com")], now) == (0, 0, 0)


def test_a_member_under_another_id_has_drifted() -> None:
    expected = rows(ANN)
    comparison = ListComparison(state(expected).people, 0, read_back([contact("ann@example.com")], FIELDS, KEY))
    assert comparison.result().drifted.to_list() == [KEY.of_person("ann@example.com")]


@pytest.mark.parametrize("others_first", [True, False])
def test_of_two_contacts_with_one_address_the_one_that_was_delivered_counts(others_first: bool) -> None:
    expected = rows(ANN)
    held = state(expected)
    held = replace(held, people=held.people.with_columns(pl.lit("person_ann").alias("contact_id")))
    ours = contact("ann@example.com") | {"contact_id": "person_ann"}
    others = contact("ann@example.com", "Other") | {"contact_id": "person_other"}
    observed = read_back([others, ours] if others_first else [ours, others], FIELDS, KEY)
    comparison = ListComparison(held.people, 0, observed)
    comparison.look_at(expected)
    assert comparison.result().drifted.is_empty()
    corrected = correct(held, ["list-a"], [observed], pl.Series(dtype=pl.Int128))
    assert corrected.people["contact_id"].to_list() == ["person_ann"]  # whom to take off, should she leave


def test_the_corrected_state_holds_what_was_seen() -> None:
    expected = rows(ANN, BEN, ("cid@example.com", "Ann", "7"), ("dan@example.com", "Ann", "7"))
    held = state(expected, attempted=("cid@example.com", "dan@example.com"))
    observed = read_back([contact("ann@example.com", "Other"), contact("cid@example.com")], FIELDS, KEY)
    drifted = pl.Series([KEY.of_person("ann@example.com")], dtype=pl.Int128)
    corrected = correct(held, ["list-a"], [observed], drifted)
    people = {row["person"]: row for row in corrected.people.iter_rows(named=True)}
    ann, ben, cid, dan = (people[KEY.of_person(f"{name}@example.com")] for name in ("ann", "ben", "cid", "dan"))
    assert (ann["lists"], ann["content"], ann["contact_id"]) == (1, None, "person_ann@example.com")
    assert (ben["lists"], ben["attempted"]) == (0, 0)
    assert (cid["lists"], cid["attempted"]) == (1, 0)  # a lost answer, settled by reading back
    assert (dan["lists"], dan["attempted"]) == (0, 0)
    assert corrected.lists == ("list-a",)


def test_a_list_that_is_gone_holds_nobody() -> None:
    expected = rows(ANN)
    corrected = correct(state(expected), [""], [read_back([], [], KEY)], pl.Series(dtype=pl.Int128))
    assert corrected.on_lists([""])["lists"].to_list() == [0]


def test_nothing_that_is_kept_of_a_contact_names_a_person() -> None:
    kept = read_back([contact("ann@example.com", "Annabel")], FIELDS, KEY)
    assert "example.com" not in str(kept.drop("contact_id").rows())
    assert "Annabel" not in str(kept.rows())


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"FirstName": None}, {"FirstName": ""}),
        ({"FirstName": None}, {}),
        ({"FirstName": ""}, {"FirstName": None}),
        ({"NumberOfEmployees": "10001"}, {"NumberOfEmployees": 10001}),
        (
            {"custom": {"integer--Points": 12}},
            {"custom_fields": [{"kind": "Points", "fieldType": "integer", "value": "12"}]},
        ),
        (
            {"custom": {"float--Points": 12}},
            {"custom_fields": [{"kind": "Points", "fieldType": "float", "value": "12.0"}]},
        ),
        (
            {"custom": {"integer--Points": 12}},
            {"custom_fields": [{"kind": "Points", "fieldType": "integer", "value": 12.0}]},
        ),
        (
            {"custom": {"integer--Points": None}},
            {"custom_fields": [{"kind": "Points", "fieldType": "integer", "value": ""}]},
        ),
    ],
)
def test_what_means_the_same_is_no_drift(sent: dict[str, Any], read: dict[str, Any]) -> None:
    assert _values(sent) == _values(read)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"FirstName": "Ann"}, {"FirstName": ""}),
        ({"MailingPostalCode": "01234"}, {"MailingPostalCode": "1234"}),
        (
            {"custom": {"integer--Points": 12}},
            {"custom_fields": [{"kind": "Points", "fieldType": "integer", "value": "13"}]},
        ),
        (
            {"custom": {"string--Points": "12"}},
            {"custom_fields": [{"kind": "Points", "fieldType": "string", "value": "12.0"}]},
        ),
    ],
)
def test_what_means_something_else_is_drift(sent: dict[str, Any], read: dict[str, Any]) -> None:
    assert _values(sent) != _values(read)


def _values(contact: dict[str, Any]) -> list[object]:
    """Return the digests of a contact's values: of one that is read back, and of one as it is sent."""
    custom = [f"{item['fieldType']}--{item['kind']}" for item in contact.get("custom_fields", [])]
    fields = sorted({*contact, *contact.get("custom", {}), *custom} - {"custom", "custom_fields"}) or ["FirstName"]
    if "custom" in contact:
        sent = pl.DataFrame({"email": ["a@example.com"], "fields": [json.dumps(contact)]})
        return list(expect(sent, fields, AUTOPILOT_FIELDS, KEY).drop("person", "content").row(0))
    return list(read_back([contact], fields, KEY).drop("person", "contact_id").row(0))
