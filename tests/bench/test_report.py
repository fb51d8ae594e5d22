"""The document that benchmarks write: a part that is measured anew takes the place of its old section, the others stay."""

from __future__ import annotations

from bench.__main__ import with_part
from bench.report import Part


def part(title: str, value: str, *, met: bool = True) -> Part:
    return Part(title, "much", ("what", "measured"), [("it", value)], met, ["What was learnt."])


def test_only_what_was_measured_anew_is_replaced() -> None:
    document = with_part("", part("Pace", "1"), "on Monday, 2 cores")
    document = with_part(document, part("Calls", "2", met=False), "on Monday, 2 cores")
    renewed = with_part(document, part("Pace", "3"), "on Tuesday, 4 cores")
    assert renewed == document.replace("| it | 1 |", "| it | 3 |").replace("on Monday", "on Tuesday", 1).replace(
        "2 cores", "4 cores", 1
    )
    assert renewed.index("## Pace") < renewed.index("## Calls")
    assert "Target: much. **Not met.**" in renewed
