"""What Ortto's answers do not tell: null is nothing where that is how Ortto writes it, and what a page keeps back proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local.ortto.knobs import Knobs
from shared.delivery.contacts import Contact, Held, Seen
from shared.delivery.errors import NoAnswer
from shared.destinations.ortto.answers import Call
from shared.destinations.ortto.limits import TAGS
from tests.destinations.ortto.told import Straight, Told, opened

ADDRESS = "a@example.com"


def with_null(call: Call, _: Mapping[str, Any], answer: Any) -> Any:
    """Write nothing as null, as Ortto was recorded to do of audiences, of a page's people and of custom fields."""
    match call:
        case Call.TAGS:
            return answer or None
        case Call.BY_IDS:
            return {"contacts": answer["contacts"] or None}
        case Call.SCHEMA:
            spaces = answer["namespaces"].items()
            return {"namespaces": {name: {**space, "fields": space["fields"] or None} for name, space in spaces}}
        case _:
            return answer


def test_an_account_without_tags_and_custom_fields_is_exported_to() -> None:
    api = Told()
    api.lie = with_null
    api.holds.tags.clear()
    for name in [name for name in api.holds.fields if ":cm:" in name]:
        del api.holds.fields[name]
    account, _ = opened(api)
    assert account.create_list("Team") == "Team"
    assert account.check_fields(["str::email", "str:cm:tier"], Straight()).conflicts.keys() == {"str:cm:tier"}


def test_null_is_no_answer_where_a_tag_of_ours_is_known() -> None:
    api = Told()
    account, _ = opened(api)
    (held,) = account.send([Contact(ADDRESS, {"str::email": ADDRESS}, add=(account.create_list("Team"),))], TAGS)
    assert isinstance(held, Held)
    account.look([held.contact_id])
    api.lie = lambda call, _, answer: None if call is Call.TAGS else answer
    with pytest.raises(NoAnswer):
        account.lists()


def test_nobody_by_their_ids_may_be_null() -> None:
    api = Told()
    person = api.create(ADDRESS)
    account, _ = opened(api)
    api.lie = with_null
    assert account.look([person.id]) == [Seen(person.id, ADDRESS, frozenset(), {"str::email": ADDRESS})]
    api.holds.archive_person(person)
    assert account.look([person.id]) == [None]


def test_people_by_their_ids_may_come_with_more_and_nobody_may_not() -> None:
    api = Told()
    person = api.create(ADDRESS)
    account, _ = opened(api)
    api.lie = lambda call, _, answer: {**answer, "meta": {}} if call is Call.BY_IDS else answer
    assert account.look([person.id]) == [Seen(person.id, ADDRESS, frozenset(), {"str::email": ADDRESS})]
    api.holds.archive_person(person)
    with pytest.raises(NoAnswer):  # it may be an answer to another call
        account.look([person.id])


def test_people_whose_tags_are_told_by_name_only_are_not_taken_for_untagged() -> None:
    api = Told()
    api.knobs = Knobs(ban=None, tag_filter="unknown_operation")  # so that everybody is read
    api.holds.tag(api.create(ADDRESS), api.holds.tag_named("Team"))
    account, _ = opened(api)

    def by_name(call: Call, _: Mapping[str, Any], answer: Any) -> Any:
        for item in (isinstance(answer, dict) and call is Call.PAGE and answer.get("contacts")) or ():
            item["fields"].pop("u4s::t", None)
        return answer

    api.lie = by_name
    everybody = account.members("Team", [], account.members("Team", []).bookmark).bookmark
    with pytest.raises(NoAnswer):
        account.members("Team", [], everybody)


def test_an_archive_that_keeps_addresses_back_proves_no_erasure() -> None:
    api = Told()
    api.holds.archive_person(api.create(ADDRESS))
    account, _ = opened(api)

    def of_its_own(call: Call, body: Mapping[str, Any], answer: Any) -> Any:
        if call is not Call.PAGE or body.get("type") != "archived":
            return answer
        return {**answer, "contacts": [{**item, "fields": {"str::first": "A"}} for item in answer["contacts"] or ()]}

    api.lie = of_its_own
    for ask in (account.is_erased, account.erase):
        with pytest.raises(NoAnswer):
            ask(ADDRESS, Straight())
    assert api.holds.archive


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("tags", "Team"),
        ("tags", 7),
        ("tags", {"name": "Team"}),
        ("tags", [{"name": "Team"}]),
        ("tags", [7]),
        ("u4s::t", "7"),
        ("u4s::t", 7),
        ("u4s::t", ["7"]),
        ("u4s::t", [{"id": 7}]),
        ("u4s::t", [True]),
    ],
)
def test_tags_in_another_shape_do_not_say_that_somebody_has_none(field: str, told: Any) -> None:
    api = Told()
    account, _ = opened(api)
    team = account.create_list("Team")
    (held,) = account.send([Contact(ADDRESS, {"str::email": ADDRESS}, add=(team,))], TAGS)
    assert isinstance(held, Held)
    account.look([held.contact_id])
    page = account.members(team, ())

    def oddly(call: Call, _: Mapping[str, Any], answer: Any) -> Any:
        people = {Call.BY_IDS: lambda: answer["contacts"].values(), Call.PAGE: lambda: answer["contacts"]}
        for person in people.get(call, list)():
            person["fields"] = {field: told}
        return answer

    api.lie = oddly
    with pytest.raises(NoAnswer):
        account.look([held.contact_id])
    with pytest.raises(NoAnswer):
        account.members(team, (), page.bookmark)
