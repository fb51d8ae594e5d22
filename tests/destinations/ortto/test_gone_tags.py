"""A tag that is left out of an answer, and one that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.delivery.contacts import Contact
from shared.delivery.errors import Unclear
from shared.delivery.sending import Sender
from shared.destinations.ortto.answers import Call
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.limits import TAGS
from tests.destinations.deliveries import delivered, fresh, operation
from tests.destinations.ortto.bench import OrttoBench


@pytest.fixture
def sender() -> Iterator[Sender]:
    with ThreadPoolExecutor(4) as threads:
        yield fresh(threads)


@pytest.mark.parametrize("filter_of_tags", ["u4s_is", "unknown_operation", "empty"])
def test_a_deleted_tag_is_gone_and_forgotten(ortto: OrttoBench, sender: Sender, filter_of_tags: str) -> None:
    ortto.turn(tag_filter=filter_of_tags)
    list_id = ortto.account().create_list("VIP")
    delivered(ortto, TAGS, sender, [list_id], [operation(ortto, 1, add=(0,))])
    assert not ortto.account().list_is_gone(list_id, sender)
    ortto.delete_list("VIP")
    account = ortto.account()
    assert "VIP" not in account.lists()
    with pytest.raises(Unclear):
        account.members(list_id, [])
    assert account.list_is_gone(list_id, sender)
    assert ortto.notes.texts == {}


@pytest.mark.parametrize("name", ["VIP", "Very important"])
def test_a_tag_that_is_left_out_of_an_answer_is_not_gone_while_people_have_it(
    ortto: OrttoBench, sender: Sender, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    list_id = ortto.account().create_list("VIP")
    delivered(ortto, TAGS, sender, [list_id], [operation(ortto, 1, add=(0,))])
    ortto.by_hand("PUT", "tags/VIP", {"name": name})
    assert ortto.account().lists()[name] == [list_id]
    account, ask = ortto.account(), Ortto.call

    def left_out(api: Ortto, call: Call, body: Mapping[str, Any]) -> Any:
        answer = ask(api, call, body)
        return [tag for tag in answer if tag["name"] != name] if call is Call.TAGS else answer

    with monkeypatch.context() as patch:
        patch.setattr(Ortto, "call", left_out)
        assert name not in account.lists()
        assert not account.list_is_gone(list_id, sender)
        assert account.create_list("VIP") == list_id
    account.send([Contact("p2@example.com", ortto.contact("p2@example.com", "Ann"), add=(list_id,))], TAGS)
    assert ortto.members(name) == {"p1@example.com", "p2@example.com"}
