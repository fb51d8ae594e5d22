"""Values of every type that a field of Ortto has: what is sent is what it takes, and what it gives back is no drift."""

from __future__ import annotations

import pytest

from local.ortto.fields import Field
from local.world import people
from shared.destinations.ortto.mapping import FIELDS
from tests.destinations.ortto.bench import OrttoBench
from tests.destinations.ortto.installed import MAPPING, run, save, write
from tests.destinations.ortto.test_bad_input import make_field
from tests.destinations.ortto.told import Straight, Told, opened
from tests.hostile.conftest import Installation

CELLS = {
    "text": "Gold",
    "large_text": "A long story",
    "single_select": "Red",
    "link": "https://example.com/a",
    "integer": "12",
    "decimal": "12.5",
    "currency": "-0.25",
    "bool": "yes",
    "date": "2024-02-29",
    "time": "2024-02-29T12:30:15.250Z",
    "phone": "+44 20 7946 0958",
    "multi_select": "Sea; Snow",
}


def test_people_with_a_value_of_every_type_are_verified_to_be_as_they_were_delivered(
    ortto: OrttoBench, installation: Installation, url: str
) -> None:
    ids = {kind: make_field(url, kind, f"A größe {kind}") for kind in CELLS}
    assert ids["text"] == "str:cm:a-größe-text"
    write(installation.stack, {"Team": people("a@example.com", **CELLS)})
    assert save(installation, mapping={**MAPPING, **{name: kind for kind, name in ids.items()}})[0] == 201
    assert run(installation)["counts"]["values_omitted"] == 0
    assert run(installation, "verify_export")["reason"] == "lists_equal"
    held = ortto.look("people/a@example.com")["fields"]
    assert held[ids["time"]] == "2024-02-29T12:30:15Z"
    assert (held[ids["decimal"]], held[ids["currency"]], held[ids["bool"]]) == (12_500, -250, True)
    assert held[ids["multi_select"]] == ["Sea", "Snow"]


@pytest.mark.parametrize("name", ["größe", "会员", "a.b", "e_mail-2"])
def test_a_field_that_the_account_offers_can_be_mapped_whatever_letters_its_id_has(name: str) -> None:
    api = Told()
    api.holds.fields[f"str:cm:{name}"] = Field(f"str:cm:{name}", name, "text")
    account, _ = opened(api)
    offered = [item.name for item in account.offered_fields(Straight())]
    assert f"str:cm:{name}" in offered
    for field in offered:
        FIELDS.check(field)
    assert account.check_fields(offered, Straight()).conflicts == {}


@pytest.mark.parametrize(
    "name", ["str:cm:", "str:cm:a b", "str:cm:a:b", "str:cm:a\0", "obj:cm:a", "Email", "str:cm:Tier"]
)
def test_what_is_no_fields_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a field"):
        FIELDS.check(name)


@pytest.mark.parametrize("told", ["2025-11-04T19:10:31Z", "2025-11-04T19:10:31.000Z", "2025-11-04T20:10:31+01:00"])
def test_a_time_is_the_same_in_each_of_its_spellings_to_the_second(told: str) -> None:
    sent = FIELDS.sent_text("tme:cm:seen", "2025-11-04T19:10:31.250Z")
    assert FIELDS.read_text("tme:cm:seen", {"tme:cm:seen": told}) == sent
    assert FIELDS.read_text("tme:cm:seen", {"tme:cm:seen": "2025-11-04T19:10:32Z"}) != sent
    assert FIELDS.read_text("tme:cm:seen", {}) == FIELDS.sent_text("tme:cm:seen", None)


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "never", 5, ["x"], True])
def test_a_time_that_is_no_moment_is_another_value_and_stops_no_verification(told: object) -> None:
    read = FIELDS.read_text("tme:cm:seen", {"tme:cm:seen": told})
    assert read not in {
        FIELDS.sent_text("tme:cm:seen", "2025-11-04T19:10:31.250Z"),
        FIELDS.sent_text("tme:cm:seen", None),
    }
