"""The Ortto sandbox against what docs/sandbox.md says of Ortto, over a socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from local.ortto.knobs import Knobs
from local.processes import ServerProcess
from local.warm import Shared
from tests.local.ortto import Ortto

DEFAULTS = Knobs(ban=None).model_dump()
DOCUMENT = Path("docs/sandbox.md")


def test_the_document_has_every_knob_with_its_values_the_default_first() -> None:
    knobs = DOCUMENT.read_text().partition("# The Ortto sandbox")[2].partition("## Its knobs")[2].partition("## ")[0]
    for name, field in Knobs.model_fields.items():
        assert f"`{name}`" in knobs, name
        values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        assert values[:1] in {(), (field.default,)}, name
        assert ", ".join(f"`{value}`" for value in values) in knobs.replace(" (the bad are left out)", ""), name


def person(email: str, **more: Any) -> dict[str, Any]:
    fields = {"str::email": email, **more.pop("fields", {})}
    return {"fields": fields, **more}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("ortto") / "log"
    started = ServerProcess("ortto", ["-m", "local.ortto"], os.environ, log, start=shared_parts.start)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def ortto(server: ServerProcess) -> Iterator[Ortto]:
    made = Ortto(server.ready["url"])
    with made.http:
        made.turn(**DEFAULTS)
        made.by_hand("POST", "empty")
        yield made


class TestMerging:
    def test_who_is_new_is_created_subscribed_and_tagged_and_who_is_known_is_merged(self, ortto: Ortto) -> None:
        (first,) = ortto.merged(person("a@example.com", fields={"str::first": "Ada"}, tags=["VIP"]))
        assert (first["status"], len(first["person_id"])) == ("created", 24)
        (again,) = ortto.merged(person("A@example.com", fields={"str::last": "Lee"}, unset_tags=["VIP", "Unknown"]))
        assert again == {"person_id": first["person_id"], "status": "merged"}
        found = ortto.look("people/a@example.com")
        assert (found["fields"]["str::first"], found["fields"]["str::last"], found["tags"]) == ("Ada", "Lee", [])
        assert [item["permitted"] for item in found["permissions"]] == [True]

    def test_null_clears_an_empty_text_is_stored_and_a_multi_select_accumulates(self, ortto: Ortto) -> None:
        made = ortto.call("POST", "/person/custom-field/create", {"type": "multi_select", "name": "Likes"}).json()
        likes = made["field_id"]
        assert likes == "sst:cm:likes"
        ortto.merged(person("a@example.com", fields={"str::first": "Ada", "str::last": "Lee", likes: ["x"]}))
        ortto.merged(person("a@example.com", fields={"str::first": None, "str::last": "", likes: ["y"]}))
        fields = ortto.look("people/a@example.com")["fields"]
        assert ("str::first" in fields, fields["str::last"], fields[likes]) == (False, "", ["x", "y"])
        ortto.merged(person("a@example.com", fields={likes: ["z"]}, clear_fields={likes: True}))
        assert ortto.look("people/a@example.com")["fields"][likes] == ["z"]

    def test_strategies_fill_overwrite_or_leave_alone(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com", fields={"str::first": "Ada"}))
        change = person("a@example.com", fields={"str::first": "Bea", "str::last": "Lee"}, tags=["VIP"])
        ortto.merged(change, merge_strategy=3)
        assert "str::last" not in ortto.look("people/a@example.com")["fields"]
        ortto.merged(change, merge_strategy=1)
        fields = ortto.look("people/a@example.com")["fields"]
        assert (fields["str::first"], fields["str::last"]) == ("Ada", "Lee")

    def test_one_bad_person_alone_is_a_400_with_details(self, ortto: Ortto) -> None:
        answer = ortto.merge(person("a@example.com", fields={"str:cm:nope": "x"}))
        text = "failed to validate field str:cm:nope in schema: str:cm:nope: Object not found"
        body = answer.json()
        assert (answer.status_code, body["error"]) == (400, f"No valid contacts provided ({text})")
        assert body["details"] == [{"status": "invalid", "error": text}]

    @pytest.mark.parametrize(
        ("shape", "status", "statuses"),
        [
            ("in_place", 200, ["created", "invalid", "created"]),
            ("only_accepted", 200, ["created", "created"]),
            ("whole_400", 400, None),
            ("details", 400, ["", "invalid", ""]),
        ],
    )
    def test_a_bad_person_among_good_ones_is_answered_as_the_knob_says(
        self, ortto: Ortto, shape: str, status: int, statuses: list[str] | None
    ) -> None:
        ortto.turn(mixed_batch=shape)
        answer = ortto.merge(person("a@example.com"), person("poison@example.com"), person("b@example.com"))
        entries = answer.json().get("people" if status == 200 else "details")
        assert answer.status_code == status
        assert (None if entries is None else [item["status"] for item in entries]) == statuses
        assert len(ortto.look("people")) == (2 if status == 200 else 0)

    def test_an_answer_may_keep_no_order(self, ortto: Ortto) -> None:
        ortto.turn(answer_order="shuffled")
        ids = [item["person_id"] for item in ortto.merged(*(person(f"p{n}@example.com") for n in range(50)))]
        emails = [found["fields"]["str::email"] for found in self._by_ids(ortto, ids)]
        assert emails != [f"p{n}@example.com" for n in range(50)]
        assert sorted(emails) == sorted(f"p{n}@example.com" for n in range(50))

    def test_a_merge_may_subscribe_again(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com"))
        ortto.by_hand("POST", "people/a@example.com/unsubscribe")
        ortto.merged(person("a@example.com", fields={"str::first": "Ada"}))
        assert ortto.look("people/a@example.com")["fields"]["bol::p"] is False
        ortto.turn(permission_on_update="resubscribes")
        ortto.merged(person("a@example.com", fields={"str::first": "Bea"}))
        found = ortto.look("people/a@example.com")
        assert found["fields"]["bol::p"] is True
        assert [item["permitted"] for item in found["permissions"]] == [True, False, True]

    def test_who_is_suppressed_is_not_created_but_merged_if_there(self, ortto: Ortto) -> None:
        ortto.merged(person("old@example.com"))
        for name in ("old", "new"):
            ortto.by_hand("POST", f"suppressed/{name}@example.com")
        listed = {"suppression_list_field_id": "str::email"}
        assert ortto.merged(person("old@example.com"), **listed)[0]["status"] == "merged"
        refused = ortto.merge(person("new@example.com"), **listed)
        assert refused.json()["details"] == [{"status": "suppressed", "error": "Email is suppressed"}]

    def test_by_id_nobody_is_created_where_only_existing_people_are_meant(self, ortto: Ortto) -> None:
        (there,) = ortto.merged(person("a@example.com", tags=["VIP"]))
        (gone,) = ortto.merged(person("b@example.com", tags=["VIP"]))
        ortto.by_hand("DELETE", "people/b@example.com")
        leave = [{"fields": {"str::person_id": item["person_id"]}, "unset_tags": ["VIP"]} for item in (there, gone)]
        by_id = {"merge_by": ["str::person_id"], "skip_non_existing": True}
        for gone_is, word in (("invalid", "invalid"), ("skipped", "skipped"), ("creates", "skipped")):
            ortto.turn(by_id_gone=gone_is)
            assert [item["status"] for item in ortto.merged(*leave, **by_id)] == ["merged", word]
        assert ortto.look("tags/VIP/emails") == []
        assert len(ortto.look("people")) == 1

    def test_more_than_100_people_are_too_many(self, ortto: Ortto) -> None:
        crowd = [person(f"p{n}@example.com") for n in range(101)]
        assert ortto.merge(*crowd).status_code == 400
        ortto.turn(too_many="truncate")
        assert len(ortto.merged(*crowd)) == 100

    def test_what_is_queued_is_answered_at_once_and_done_later(self, ortto: Ortto) -> None:
        ortto.turn(async_lag_ms=60_000)
        assert ortto.merge(person("a@example.com"), **{"async": True}).json() == {"people": [{"status": "queued"}]}
        ortto.get()
        assert ortto.look("people") == []

    def _by_ids(self, ortto: Ortto, ids: list[str]) -> list[Any]:
        body = {"contact_ids": ids, "fields": ["str::email"]}
        found = ortto.call("POST", "/person/get-by-ids", body).json()["contacts"]
        return [found[contact_id] for contact_id in ids]


class TestReading:
    def test_pages_are_newest_first_and_a_cursor_keeps_the_result(self, ortto: Ortto) -> None:
        ortto.merged(*(person(f"p{n}@example.com") for n in range(5)))
        first = ortto.get(limit=2, fields=["str::email"])
        assert [item["fields"]["str::email"] for item in first["contacts"]] == ["p4@example.com", "p3@example.com"]
        assert (first["has_more"], first["next_offset"], first["meta"]["total_matches"]) == (True, 2, 5)
        ortto.merged(person("late@example.com"))
        rest = ortto.get(limit=9, offset=2, cursor_id=first["cursor_id"], fields=["str::email"])
        assert [item["fields"]["str::email"] for item in rest["contacts"]] == [f"p{n}@example.com" for n in (2, 1, 0)]
        assert (rest["has_more"], rest["meta"]["total_contacts"]) == (False, 6)

    def test_past_the_end_there_is_null_and_no_count(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com"))
        answer = ortto.get(offset=50)
        assert (answer["contacts"], answer["meta"]["total_contacts"], answer["cursor_id"]) == (None, 0, "0" * 24)

    def test_filters_by_tag_and_address_and_an_unknown_one_is_quoted(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com", tags=["VIP"]), person("b@example.com"))
        (tag,) = [item for item in ortto.call("POST", "/tags/get", {}).json() if item["name"] == "VIP"]
        by_tag = {"$and": [{"$u4s::is": {"field_id": "u4s::t", "value": tag["id"]}}]}
        found = ortto.get(filter=by_tag, fields=["str::email", "tags", "u4s::t"])
        assert [item["fields"] for item in found["contacts"]] == [
            {"str::email": "a@example.com", "tags": ["VIP"], "u4s::t": [tag["id"]]}
        ]
        assert found["meta"]["total_subscribers"] == 0
        either = [{"$str::is": {"field_id": "str::email", "value": f"{name}@example.com"}} for name in "abc"]
        assert ortto.get(filter={"$or": either})["meta"]["total_matches"] == 2
        assert ortto.call("POST", "/person/get", {"filter": {"$or": either * 17}}).status_code == 400
        unknown = ortto.call("POST", "/person/get", {"filter": {"$int::gt": {"field_id": "x", "value": 1}}})
        assert "Unknown operation $int::gt" in unknown.json()["error"]
        ortto.turn(tag_filter="unknown_operation")
        assert ortto.call("POST", "/person/get", {"filter": by_tag}).status_code == 400

    def test_a_filter_may_lag_behind_what_ids_show(self, ortto: Ortto) -> None:
        (there,) = ortto.merged(person("a@example.com", tags=["VIP"]))
        ortto.turn(filter_lag_ms=60_000, count_lag_ms=60_000)
        assert ortto.get()["contacts"] is None
        assert ortto.call("POST", "/tags/get", {"q": "VIP"}).json()[0]["count"] == 0
        body = {"contact_ids": [there["person_id"]], "fields": ["tags"]}
        found = ortto.call("POST", "/person/get-by-ids", body).json()["contacts"]
        assert found[there["person_id"]]["fields"]["tags"] == ["VIP"]

    def test_tags_of_people_and_of_accounts_are_counted_apart(self, ortto: Ortto) -> None:
        tags = ortto.call("POST", "/tags/get", {}).json()
        assert [(item["id"], item["type"]) for item in tags] == [(1, ""), (1, "organization")]

    def test_the_schema_tells_which_fields_there_are_and_which_only_ortto_writes(self, ortto: Ortto) -> None:
        assert ortto.call("POST", "/person/custom-field/get", {}).json() == {"fields": None}
        made = {"type": "decimal", "name": "Total Spent"}
        assert ortto.call("POST", "/person/custom-field/create", made).json()["field_id"] == "int:cm:total-spent"
        assert ortto.call("POST", "/person/custom-field/create", made).status_code == 423
        schema = ortto.call("POST", "/instance-schema/get", {"namespaces": ["", "cm"]}).json()["namespaces"]
        assert schema["cm"]["fields"]["int:cm:total-spent"]["display_type"] == "decimal"
        assert schema[""]["fields"]["u4s::t"]["read_only"]


class TestGoing:
    def test_only_who_is_archived_is_deleted_and_who_comes_again_is_new_and_subscribed(self, ortto: Ortto) -> None:
        (there,) = ortto.merged(person("a@example.com"))
        ortto.by_hand("POST", "people/a@example.com/unsubscribe")
        ids = {"inclusion_ids": [there["person_id"]]}
        assert ortto.call("DELETE", "/person/delete", ids).json()["deleted_contacts"] == 0
        archived = ortto.call("PUT", "/person/archive", ids).json()
        assert archived == {"scheduled_contacts": 0, "archived_contacts": 1}
        assert ortto.get(type="archived", q="a@example.com", fields=["str::email"])["meta"]["total_matches"] == 1
        (again,) = ortto.merged(person("a@example.com"))
        assert again["status"] == "created"
        assert ortto.look("people/a@example.com")["fields"]["bol::p"] is True
        assert ortto.call("DELETE", "/person/delete", ids).json()["deleted_contacts"] == 1
        assert ortto.get(type="archived")["contacts"] is None

    def test_what_is_scheduled_is_done_a_little_later(self, ortto: Ortto) -> None:
        (there,) = ortto.merged(person("a@example.com"))
        ortto.turn(delete_scheduled=1)
        ids = {"inclusion_ids": [there["person_id"]]}
        assert ortto.call("PUT", "/person/archive", ids).json() == {"scheduled_contacts": 1, "archived_contacts": 0}
        assert ortto.get(type="archived")["contacts"] is not None


class TestLimits:
    def test_fifteen_bad_requests_ban_the_caller(self, ortto: Ortto) -> None:
        ortto.turn(ban=15, ban_seconds=60)
        for _ in range(15):
            assert ortto.merge(person("poison@example.com")).status_code == 400
        assert ortto.merge(person("a@example.com")).status_code == 429
        assert ortto.look("stats")["bans"] == 1
        ortto.by_hand("POST", "reset")
        assert ortto.merge(person("a@example.com")).status_code == 200

    def test_too_fast_is_a_429_whose_body_says_when_to_try_again(self, ortto: Ortto) -> None:
        ortto.turn(rate=0.001, burst=1)
        ortto.merge(person("a@example.com"))
        answer = ortto.merge(person("a@example.com"))
        assert answer.status_code == 429
        assert answer.json()["error"]["try-in-seconds"] == 1

    def test_too_many_merges_at_a_time_are_held_back(self, ortto: Ortto) -> None:
        ortto.turn(concurrency=0, concurrency_answer="503")
        assert ortto.merge(person("a@example.com")).status_code == 503
        assert ortto.call("POST", "/tags/get", {}).status_code == 200

    def test_another_key_or_region_is_a_401_and_an_unknown_call_a_404(self, ortto: Ortto) -> None:
        assert ortto.call("POST", "/tags/get", {}, key="another").status_code == 401
        assert ortto.call("POST", "/nothing", {}).status_code == 404
        ortto.turn(wrong_region=True)
        assert ortto.call("POST", "/tags/get", {}).status_code == 401
        ortto.turn(wrong_region_answer="404")
        assert ortto.call("POST", "/tags/get", {}).status_code == 404

    def test_a_full_account_refuses_if_the_knob_says_so(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com"))
        ortto.turn(contact_limit=1)
        assert ortto.merge(person("b@example.com")).status_code == 200
        ortto.turn(over_limit="507")
        assert ortto.merge(person("c@example.com")).status_code == 507

    def test_knobs_that_there_are_not_are_refused(self, ortto: Ortto) -> None:
        for knobs in ({"rte": 1}, {"mixed_batch": "nope"}, {"faults": {"nope": 1}}, {"lies": {"nope": 1}}):
            assert ortto.http.put(f"{ortto.url}/sandbox/knobs", json=knobs, timeout=60).status_code == 400


class TestHands:
    def test_tags_are_renamed_and_deleted_and_people_tagged_by_hand(self, ortto: Ortto) -> None:
        ortto.merged(person("a@example.com", tags=["VIP"]), person("b@example.com"))
        ortto.by_hand("PUT", "tags/VIP", {"name": "Very"})
        ortto.by_hand("POST", "people/b@example.com/tags/Very")
        assert ortto.look("tags/Very/emails") == ["a@example.com", "b@example.com"]
        ortto.by_hand("DELETE", "people/a@example.com/tags/Very")
        ortto.by_hand("POST", "people/b@example.com/archive")
        assert ortto.look("tags/Very/emails") == []
        ortto.by_hand("DELETE", "tags/Very")
        assert [tag["name"] for tag in ortto.look("tags")["tags"]] == ["My team"]
