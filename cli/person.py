"""How a person stands to an export's lists, on a terminal."""

from __future__ import annotations

from typing import Any

from cli.show import table_of
from cli.terminal import print_whole, say
from cli.words import minute


def show_person(found: dict[str, Any], word: str) -> None:
    """Show each list, which the destination calls by `word`, with why, then the rows, what was delivered, and what the destination says."""
    known = {True: "yes", False: "no", None: "not known"}
    lists = [
        (item["list"], known[item["in_segment"]], known[item["delivered"]], known[item["on_list"]], item["why"])
        for item in found["lists"]
    ]
    print_whole(table_of((word.capitalize(), "In segment", "Delivered", f"On {word} now", "Why"), lists))
    for item in found["lists"]:
        say(f"{item['list']}: {item['advice']}")
    rows = [
        (
            row["segment"],
            row["customer_id"],
            "yes" if row["speaks"] and not found["erased_at"] else "",
            row["reason"] or ("erased" if found["erased_at"] else "can be delivered"),
            row["field"],
            "; ".join([row["advice"], *(f"{item['field']}: {item['advice']}" for item in row["omitted"])]).strip("; "),
        )
        for row in found["rows"]
    ]
    if rows:
        print_whole(table_of(("Segment", "CustomerId", "Decides", "Row", "Field", "What to do"), rows))
    _show_rest(found)


def _show_rest(found: dict[str, Any]) -> None:
    for segment in found["segments"]:
        if segment["code"]:
            say(f"{segment['segment']} could not be read: {segment['code']}. {segment['detail']}", style="yellow")
    if since := found["rejected_since"]:
        before = "before " if since["or_earlier"] else ""
        say(f"Rejected since {before}{minute(since['at'])} UTC (run {since['run']}).", style="yellow")
    if record := found["record"]:
        values = {True: "the values of now", False: "other values", None: "values that cannot be compared"}
        say(f"Delivered with {values[record['is_current']]}, as run {record['run']} recorded.")
    there = found["destination"]
    if there["code"]:
        say(f"The destination: {there['code']}. {there['detail']}", style="yellow")
