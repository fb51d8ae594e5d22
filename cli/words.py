"""How a terminal says what the API answers: moments, durations, roles, what was done, and the commands that are hinted at."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, Final

_MAY: Final = {
    "viewer": "You may look at segments, connections' names, exports, runs and rejected rows, and preview an export.",
    "contributor": "You may do what a viewer may; save, run, verify and delete exports on connections that are shared with "
    "contributors; and find a person.",
    "admin": "You may do everything: also make, change and delete connections, erase a person, and read the audit trail.",
}
"""What each role may do, in short."""


def command(words: str) -> str:
    """Return a command of this client as it can be pasted where this one was typed."""
    return f"{sys.orig_argv[0]} -m cli {words}"


def minute(moment: str | None) -> str:
    """Return a moment of the API to the minute, in UTC as it came."""
    return (moment or "")[:16]


def took(run: dict[str, Any]) -> str:
    """Return how long a run took from its start to its end; empty while it goes on."""
    if not run["started_at"] or not run["ended_at"]:
        return ""
    lasted = datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])
    minutes, seconds = divmod(max(0, round(lasted.total_seconds())), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def about(calls: int, minutes: float) -> str:
    """Return what a run's calls are, and how long they take."""
    if not calls:
        return "No calls."
    told = "1 call" if calls == 1 else f"{calls:,} calls"
    if minutes < 1:
        return f"About {told}, in less than a minute."
    lasts = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:,.1f} hours"
    return f"About {told}, in about {lasts}."


def may(role: str) -> str:
    """Return what a role may do; a role that this client does not know is one of a newer app."""
    return _MAY.get(role, "What this role may do: me --json.")


def done_to(of: str) -> str:
    """Return what something was done to, such as `export=loyalty changed=mapping`, with what it changed in words."""
    pairs = [pair.partition("=") for pair in of.split(" ")]
    return " ".join(
        {"all": "created", "": "nothing changed"}.get(value, f"changed={value}")
        if kind == "changed"
        else f"{kind}={value}"
        for kind, _, value in pairs
        if kind
    )
