"""One after the other, each for itself: what fails for one export keeps nobody from looking after the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def each(names: Iterable[str], step: Callable[[str], None]) -> None:
    """Do `step` for every name; raise an ExceptionGroup of what failed, once all had their turn."""
    failures: list[Exception] = []
    for name in names:
        try:
            step(name)
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)
    if failures:
        raise ExceptionGroup("some exports could not be looked after", failures)
