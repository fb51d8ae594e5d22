"""What a person needs to understand a schedule that fails: shortened, with what is done in it, and what is wrong."""

from __future__ import annotations

from tests.simulation.schedule import Schedule, play, shorten


def explain(schedule: Schedule) -> str:
    """Shorten a schedule that fails, and write down what is done in it and what is wrong."""
    short = shorten(schedule)
    result = play(short)
    return "\n".join([f"FAILED: {short}", *result.record, "WRONG:", *result.wrong, ""])
