"""What every command does alike: open the client, print the answer, end with a sentence when the API says no.

Whatever comes from the API or a table is shown as text: names may hold markup, or sequences that command a terminal.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import requests
import typer
from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.text import Text

from cli.client import ApiError, Client, NotConfigured, find_app

console = Console()
errors = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print what the API answered, as JSON.")]

Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first.")]

WIDEST: Final = 10_000
"""Columns of a line that nobody's terminal wraps: what is piped is not cut."""

_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters that change how others are shown: in which direction, or not at all."""


def harmless(value: object) -> str:
    """Return a value's text with what commands a terminal, or hides, spelled out."""
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or letter in _TURNING
        else letter
        for letter in str(value)
    )


def say(sentence: str, *, style: str = "", to: Console = console) -> None:
    """Print a sentence as it is, in one line: what is to be copied from it is not broken."""
    to.print(Text(harmless(sentence), style=style), soft_wrap=True)


def print_whole(shown: RenderableType, to: Console = console) -> None:
    """Print a table so that nothing of it is cut: a pipe has no width, and on a terminal only its long cells fold."""
    width = to.width if to.is_terminal else WIDEST
    needed = to.measure(shown, options=to.options.update(width=WIDEST)).minimum
    lines = to.render_lines(shown, to.options.update(width=max(width, needed)), pad=False)
    parts = [part for line in lines for part in (*line, Segment.line())]
    to.print(Segments(parts), soft_wrap=True, crop=False, end="")


@contextmanager
def client(context: typer.Context) -> Iterator[Client]:
    """Open the client; what the API or the network says no to ends the command with its sentence."""
    try:
        with Client(find_app(*context.obj)) as opened:
            yield opened
    except ApiError as error:
        for line in error.lines:
            say(line, style="red", to=errors)
        raise typer.Exit(2) from None
    except NotConfigured as error:
        say(str(error), style="red", to=errors)
        raise typer.Exit(3) from None
    except requests.RequestException:
        say("The app cannot be reached. Check its URL, and that it runs.", style="red", to=errors)
        raise typer.Exit(3) from None


def put_out(content: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print the answer itself, or show it to a person."""
    if as_json:
        print(json.dumps(content, indent=2))  # noqa: T201 - this is the output
    else:
        show()


def say_if_older(are_older: bool, limit: int) -> None:
    """Print that there are older ones than those that are shown, beside the output: it may be piped."""
    if are_older:
        say(f"There are older ones: add --limit {limit * 4}.", style="yellow", to=errors)


def put_out_text(text: str) -> None:
    """Print a document: as it is into a pipe or a file, harmless on a terminal."""
    if sys.stdout.isatty():
        text = "".join(harmless(line) + "\n" for line in text.splitlines())
    print(text, end="")  # noqa: T201 - this is the output
