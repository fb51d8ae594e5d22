"""The knobs: how fast, how slow, how faulty the sandbox is. All may be turned while it runs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

FAULTS: Final = ("throttle", "error", "timeout_done", "reset", "reset_done", "drop_row", "html")


@dataclass(frozen=True, slots=True)
class Knobs:
    """`rate` requests a second with a `burst` (null: no limit); `latency_ms` before an answer; `faults` as chances of 0 to 1.

    Faults: `throttle` (429), `error` (500 or 503), `timeout_done` (done, but 408), `reset` (connection closed, nothing
    done), `reset_done` (done, then closed), `drop_row` (bulk 200 that leaves a contact out, nothing stored), `html` (502
    with a page). `poison` is the beginning of local parts that a bulk or single upsert refuses with 400. `bulk_lists` and
    `contact_lists` say whether a bulk call, and one for a single contact, honour `_autopilot_list`: `ignored`, `honoured`,
    `new_only`, or `until:N` calls of the kind.
    """

    key: str = "sandbox-key"
    rate: float | None = None
    burst: int = 20
    latency_ms: float = 0
    jitter_ms: float = 0
    bulk_lists: str = "ignored"
    contact_lists: str = "honoured"
    error_shape: Literal["error", "code"] = "error"
    poison: str = "poison"
    contact_limit: int | None = None
    down: bool = False
    record: bool = False
    seed: int = 1
    faults: dict[str, float] = field(default_factory=dict)

    def turned(self, changes: dict[str, Any]) -> Knobs:
        """Give the knobs with some of them turned; raises ValueError for one that there is not."""
        known = {item.name for item in fields(self)}
        strange = sorted(set(changes) - known) + sorted(set(changes.get("faults", {})) - set(FAULTS))
        if strange:
            raise ValueError(f"no such knob: {', '.join(strange)}")
        return replace(self, **changes)


class Bucket:
    """A token bucket: what a server that throttles as restify does keeps a caller (inferred from the 429's text)."""

    def __init__(self) -> None:
        self._tokens = 0.0
        self._at = 0.0

    def take(self, rate: float, burst: int, now: float) -> bool:
        """Take a token if there is one."""
        self._tokens = min(float(burst), self._tokens + (now - self._at) * rate) if self._at else float(burst)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Dice:
    """Seeded chances, so that a run of faults can be repeated."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeatable

    def fault(self, knobs: Knobs) -> str | None:
        """Say which fault strikes this request, or None."""
        for name, chance in knobs.faults.items():
            if self._random.random() < chance:
                return name
        return None

    def latency(self, knobs: Knobs) -> float:
        """Say how long this answer takes, in seconds."""
        return (knobs.latency_ms + self._random.uniform(0, knobs.jitter_ms)) / 1000

    def choose(self, count: int) -> int:
        """Choose one of `count`."""
        return self._random.randrange(count)
