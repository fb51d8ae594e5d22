"""How far operations have come."""

from __future__ import annotations

from shared.delivery.progress import Delivered, Progress
from shared.reasons.rows import RowReason
from tests.delivery.deliveries import operation


def test_whom_a_destination_refused_for_what_is_no_fault_of_theirs_is_left_to_do() -> None:
    refused, bad, done, open_one = (Progress(operation(n), None) for n in range(4))
    refused.refuse(RowReason.REFUSED)
    bad.refuse(RowReason.NO_ANSWER)
    done.confirmed = True
    delivered = Delivered(settled=(refused, bad, done), unsettled=(open_one,))
    assert not delivered.is_whole
    excused = delivered.excused()
    assert [item.operation.person for item in excused.settled] == [1, 2]
    assert [item.operation.person for item in excused.unsettled] == [3, 0]
    assert [item.reason for item in excused.unsettled] == [None, None]


def test_only_what_was_done_to_everybody_is_whole() -> None:
    done, refused = Progress(operation(0), None), Progress(operation(1), None)
    refused.refuse(RowReason.REFUSED)
    assert Delivered((done,), ()).is_whole
    assert not Delivered((done,), (Progress(operation(2), None),)).is_whole
    assert not Delivered((done, refused), ()).is_whole
