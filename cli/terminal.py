"""What every command does alike: open the client, print the answer, end with a sentence when the API says no."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import requests
import typer
from rich.console import Console

from cli.client import ApiError, Client, NotConfigured, find_app

console = Console()
errors = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print what the API answered, as JSON.")]


@contextmanager
def client(context: typer.Context) -> Iterator[Client]:
    """Open the client; what the API or the network says no to ends the command with its sentence."""
    try:
        with Client(find_app(*context.obj)) as opened:
            yield opened
    except ApiError as error:
        for line in error.lines:
            errors.print(line, markup=False, style="red")
        raise typer.Exit(2) from None
    except (NotConfigured, requests.RequestException) as error:
        text = str(error) if isinstance(error, NotConfigured) else "The app cannot be reached. Check its URL."
        errors.print(text, markup=False, style="red")
        raise typer.Exit(3) from None


def put_out(content: Any, as_json: bool, show: Callable[[], None]) -> None:
    """Print the answer itself, or show it to a person."""
    if as_json:
        print(json.dumps(content, indent=2))  # noqa: T201 - this is the output
    else:
        show()
