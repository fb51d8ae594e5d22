"""What a plan came to, as its run keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.exports.configuration import NewPeople, SegmentTarget
from shared.runs.counts import Counts
from shared.state.digests import SCHEME


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a plan that is to be recorded came to."""

    id: str
    """The attempt that made it, and the name of the folder of its chunks."""

    connection: str
    """The connection that it was made for."""

    account: str
    """The account that the connection led to."""

    targets: tuple[SegmentTarget, ...]
    """The export's segments and lists."""

    chunks: int
    """How many chunks were written."""

    operations: int
    """How many operations are in them."""

    counts: Counts
    """What was read and compared, and the calls that were made."""

    remarks: str = ""
    """What the plan had to say."""

    refresh: str | None = None
    """The refresh of the source that was read, by its etag."""

    digests: str = SCHEME
    """The scheme by which it knows people."""

    new_people: NewPeople | None = None
    """Whether those whom it creates may be mailed."""

    create_suppressed: bool = False
    """Whether those are created, too, whose address is on the account's suppression list."""

    as_of: datetime | None = None
    """When that refresh was published, as far as the source says."""
