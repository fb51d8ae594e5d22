"""What a round of chaos came to, and which ends of its runs its troubles explain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

EXPLAINED: Final = {None, "rows_rejected", "values_omitted", "nothing_to_do", "lists_differ", "lists_equal"}
ALSO_EXPLAINED: Final = {
    "vault down": {"key_refused"},
    "restart the vault": {"key_refused"},
    "no token": {"key_refused"},
    "rotate the key": {"key_refused"},
    "refresh meanwhile": {"source_not_settled"},
}
"""Ends that a trouble explains: a key that was rotated while the vault could not be asked, or a moment before it was stored;
a refresh that came while its predecessor was read."""

NAMED: Final = EXPLAINED | {"source_malformed", "column_missing", "email_column_missing"}
"""Ends of a run of an odd partition: it was read right, or named."""


@dataclass(slots=True)
class Verdict:
    """What a round came to: zeros everywhere is what must be."""

    seed: int
    lost: int = 0
    wrong: int = 0
    off: int = 0
    stuck: int = 0
    marks: int = 0
    seconds: float = 0.0
    troubles: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything held."""
        return not (self.lost or self.wrong or self.off or self.stuck or self.marks)

    def as_line(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self))

    def judge(self, run: Mapping[str, Any], explained: set[str | None]) -> None:
        """Check what a run says of itself: an explained end, and counts that add up."""
        counts = run["counts"]
        settled = sum(
            counts[name] for name in ("delivered", "unchanged", "duplicates", "rejected", "suppressed", "undelivered")
        )
        self.ends.append(f"{run['trigger']}: {run['status']} ({run['reason']})")
        if run["reason"] not in explained:
            self.off += 1
            self.notes.append(f"{run['id']} ended as {run['reason']}: {run['advice']}")
        if settled != counts["rows_read"] or (run["status"] == "Successful" and counts["undelivered"]):
            self.off += 1
            self.notes.append(f"{run['id']}: counts do not add up: {counts}")
