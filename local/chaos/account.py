"""What an account itself says that must not be: the app was banned, or somebody may be mailed who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.targets import Target


def harm(target: Target, look: Callable[[str], Any]) -> list[str]:
    """Return a sentence for each harm done to an account; `look` looks into its sandbox."""
    found = []
    if bans := look("stats").get("bans"):
        found.append(f"banned {bans} times")
    if target.export.get("new_people") == "not_subscribed":
        allowed = sum(person["fields"]["bol::p"] is not False for person in look("people"))
        found += [f"{allowed} people may be mailed who may not"] if allowed else []
    return found
