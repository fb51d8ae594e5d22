"""What a run would do, as a terminal shows it."""

from __future__ import annotations

from typing import Any

from cli.show import table_of
from cli.terminal import console, print_whole, say
from cli.words import about


def show_preview(found: dict[str, Any]) -> None:
    """Show what a run would do."""
    numbers = ("rows_read", "profiles", "duplicates", "joiners", "changed", "unchanged", "leavers")
    print_whole(table_of(("", ""), [(f"{found[key]:,}", key.replace("_", " ")) for key in numbers]))
    for reason, rows in found["rejected"].items():
        say(f"{rows:,} rejected: {reason}", style="yellow")
    for field, cells in found["omitted"].items():
        say(f"{cells:,} values left out: {field} cannot take them", style="yellow")
    for field, cells in found["placeholders"].items():
        say(f"{cells:,} cells of {field} say that there is no value, such as NULL or N/A", style="dim")
    if found["held_back"]:
        say(
            f"{found['held_back']:,} of the leavers stay: too many rows of their segment cannot be read", style="yellow"
        )
    say(f"{about(found['calls'], found['minutes'])} Nothing was sent.")
    if found.get("settled") is False:
        say("Customer Insights may still be writing: a run would wait for it.", style="yellow")
    if found.get("remarks"):
        say(found["remarks"], style="yellow")
    if found["would_be_skipped"]:
        say(f"The run would be skipped: {found['would_be_skipped']}", style="yellow")
    if found["examples"]:
        console.print_json(data=found["examples"], ensure_ascii=not console.is_terminal)
