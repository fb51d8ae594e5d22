"""The knobs: how fast, how slow, how faulty the sandbox is. All may be turned while it runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, Protocol

from local.sandbox.lies import LIES

FAULTS: Final = ("throttle", "error", "timeout_done", "reset", "reset_done", "drop_row", "html")


@dataclass(frozen=True, slots=True)
class Knobs:
    """`rate` requests a second with a `burst` (null: no limit); `latency_ms` before an answer; `faults` as chances of 0 to 1.

    Faults: `throttle` (429), `error` (500 or 503), `timeout_done` (done, but 408), `reset` (connection closed, nothing
    done), `reset_done` (done, then closed), `drop_row` (bulk 200 that leaves a contact out, nothing stored), `html` (502
    with a page). `poison` is the beginning of local parts that a bulk or single upsert refuses with 400. `bulk_lists` and
    `contact_lists` say whether a bulk call, and one for a single contact, honour `_autopilot_list`: `ignored`, `honoured`,
    `new_only`, or `until:N` calls of the kind.

    `lies` are chances too: answers that are not the API's (see `local.sandbox.lies`), to calls whose template begins
    with `lies_to`; what was asked is done with the chance `lies_done`. `drip_seconds` is how long a drip lasts,
    `retry_after` what a 429 says, `account_name` whose account it is, and `instance` its id. `bookmarks` may be `endless`: each page has a new
    one. `read_back` may be `texts` (numbers read back as texts) or `blanks` (cleared fields read back as "").
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
    lies: dict[str, float] = field(default_factory=dict)
    lies_to: str = ""
    lies_done: float = 0.5
    drip_seconds: float = 600
    retry_after: str | None = None
    account_name: str = "Sandbox Account"
    instance: str = "sandbox"
    bookmarks: Literal["exact", "endless"] = "exact"
    read_back: Literal["exact", "texts", "blanks"] = "exact"

    def turned(self, changes: dict[str, Any]) -> Knobs:
        """Return the knobs with some of them turned; raises ValueError for one that there is not."""
        known = {item.name for item in fields(self)}
        strange = sorted(set(changes) - known) + sorted(set(changes.get("faults", {})) - set(FAULTS))
        strange += sorted(set(changes.get("lies", {})) - set(LIES))
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


class Chances(Protocol):
    """The knobs that dice are thrown for."""

    @property
    def faults(self) -> Mapping[str, float]: ...  # noqa: D102 - as in Knobs
    @property
    def lies(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def lies_to(self) -> str: ...  # noqa: D102
    @property
    def lies_done(self) -> float: ...  # noqa: D102
    @property
    def latency_ms(self) -> float: ...  # noqa: D102
    @property
    def jitter_ms(self) -> float: ...  # noqa: D102


class Dice:
    """Seeded chances, so that a run of faults can be repeated."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeatable

    def fault(self, knobs: Chances) -> str | None:
        """Return which fault strikes this request, or None."""
        for name, chance in knobs.faults.items():
            if self._random.random() < chance:
                return name
        return None

    def lie(self, knobs: Chances, endpoint: str) -> str | None:
        """Return which lie this request is told, or None."""
        if knobs.lies and endpoint.startswith(knobs.lies_to):
            for name, chance in knobs.lies.items():
                if self._random.random() < chance:
                    return name
        return None

    def is_done(self, knobs: Chances) -> bool:
        """Return whether what was asked is done although the answer is a lie."""
        return self._random.random() < knobs.lies_done

    def latency(self, knobs: Chances) -> float:
        """Return how long this answer takes, in seconds."""
        return (knobs.latency_ms + self._random.uniform(0, knobs.jitter_ms)) / 1000

    def choose(self, count: int) -> int:
        """Choose one of `count`."""
        return self._random.randrange(count)
