"""Connections from a terminal: made, changed, tried, removed. What is not given stays as it is."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any, Final

import typer

from cli.client import ApiError, Client
from cli.show import table_of
from cli.terminal import Json, client, errors, print_whole, put_out, say
from cli.words import minute

app = typer.Typer(no_args_is_help=True, help="Connections: show, test, delete. Make or change one with connect.")

_SETTINGS: Final = ("display_name", "kind", "region", "access", "rate_limit", "calls_in_flight", "list_strategy")
"""What of a stored connection is sent back when another part of it changes."""

_OPTIONS: Final = {
    "agree_to_privacy": "--agree",
    "must be true": "must be given",
    "api_key": "the key",
    "secret_name": "--secret-name",
    "display_name": "--display-name",
    "kind": "--kind",
    "region": "--region",
    "rate_limit": "--rate-limit",
    "calls_in_flight": "--calls-in-flight",
    "list_strategy": "--list-strategy",
    "access": "--share",
}
"""The options of `connect`, by what the API calls them."""

_DETACH: Final = {"?detach=true": "--detach"}


def connect(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the connection, such as autopilot-main.")],
    display_name: Annotated[str | None, typer.Option(help="What people see; at first the name.")] = None,
    secret_name: Annotated[str | None, typer.Option(help="Use this secret of the vault instead of a key.")] = None,
    kind: Annotated[str | None, typer.Option(help="autopilot or ortto; at first autopilot. It stays.")] = None,
    region: Annotated[str | None, typer.Option(help="Where an Ortto account is: us, au or eu.")] = None,
    rate_limit: Annotated[
        float | None, typer.Option(help="Requests a second; at first 20 at Autopilot, 5 at Ortto.")
    ] = None,
    calls_in_flight: Annotated[int | None, typer.Option(help="Calls at a time; at first 2 at Ortto.")] = None,
    list_strategy: Annotated[
        str | None, typer.Option(help="How contacts get on lists: auto, bulk or single; at first auto.")
    ] = None,
    share: Annotated[bool | None, typer.Option(help="Contributors may use it too; at first they may not.")] = None,
    agree: Annotated[bool, typer.Option("--agree", help="Agree to the transfer of personal data.")] = False,
    as_json: Json = False,
) -> None:
    """Make a connection to an account of Autopilot or Ortto, or change one: what is not given stays as it is.

    The key is asked for, or read from a pipe; it is never shown. Nothing entered keeps the one there is.
    """
    given = {
        "display_name": display_name,
        "kind": kind,
        "region": region,
        "rate_limit": rate_limit,
        "calls_in_flight": calls_in_flight,
        "list_strategy": list_strategy,
        "access": None if share is None else ("administrators_and_contributors" if share else "administrators"),
    }
    with client(context) as api:
        present, etag = api.find(f"connections/{name}") or ({}, None)
        kept = {setting: present[setting] for setting in _SETTINGS if present.get(setting) is not None}
        changes = {setting: value for setting, value in given.items() if value is not None}
        body = {
            "display_name": name,
            **kept,
            **changes,
            "agree_to_privacy": agree,
            **_key(name, present, secret_name, kind or present.get("kind", "autopilot")),
        }
        try:
            made = api.put(f"connections/{name}", body, etag)
        except ApiError as error:
            raise error.in_words(_OPTIONS) from None
    put_out(made, as_json, lambda: say(f"Connected to {made['account'] or made['kind'].title()} as {name}."))


def _key(name: str, present: dict[str, Any], secret_name: str | None, kind: str) -> dict[str, str]:
    """Find what opens the account: a secret that is named, a key that is typed or piped, or what there is."""
    if secret_name:
        return {"secret_name": secret_name}
    kept = present.get("secret_name")
    if kept and not re.fullmatch(f"autopilot-{name}(-[0-9a-f]{{16}})?", kept):  # not one that the app stored a key in
        say(f"Its key stays the secret {kept} of the vault: store a new version there to rotate it.", to=errors)
        return {"secret_name": kept}
    asked = f"{kind.title()} API key"
    key = _typed(f"{asked} (nothing keeps the present one)" if present else asked, bool(present))
    return {"api_key": key} if key else {}


def _typed(prompt: str, may_be_empty: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    default = "" if may_be_empty else None
    return str(typer.prompt(prompt, default, hide_input=True, show_default=False, err=True)).strip()


@app.command("list")
def connections(context: typer.Context, as_json: Json = False) -> None:
    """List connections."""
    with client(context) as api:
        found = list(api.items("connections"))
    columns = ("Name", "Display name", "Account", "Rate", "List strategy", "For")
    fields = ("name", "display_name", "account", "rate_limit", "list_strategy", "access")
    rows = [[item.get(field) for field in fields] for item in found]
    put_out(found, as_json, lambda: print_whole(table_of(columns, rows)))


@app.command("show")
def connection_show(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Show a connection, and whether its key can be read; never the key."""
    with client(context) as api:
        found = api.get(f"connections/{name}")
    rows = [
        (field, minute(value) if field.endswith("_at") else value)
        for field, value in found.items()
        if not isinstance(value, dict)
    ]
    put_out(found, as_json, lambda: print_whole(table_of(("Setting", "Value"), rows)))


@app.command("fields")
def connection_fields(
    context: typer.Context,
    name: str,
    segment: Annotated[str | None, typer.Option(help="Suggest a mapping of this segment's columns.")] = None,
    as_json: Json = False,
) -> None:
    """List the account's fields that an export may map."""
    with client(context) as api:
        found = api.get(f"connections/{name}/fields", **({"segment": segment} if segment else {}))
    mapped = found["suggested_mapping"]
    rows = [(item["name"], item["title"], item["type"], mapped.get(item["name"], "")) for item in found["fields"]]
    put_out(found, as_json, lambda: print_whole(table_of(("Field", "Title", "Type", "Suggested column"), rows)))


@app.command("test")
def connection_test(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Ask the account's system whether it accepts the key, and whose account it is. Ends with 1 if it does not."""
    with client(context) as api:
        found = api.post(f"connections/{name}/test")
    accepted = found["accepted"]
    sentence = f"The key is accepted, for {found['account']}." if accepted else str(found["detail"])
    put_out(found, as_json, lambda: say(sentence, style="" if accepted else "red"))
    raise typer.Exit(0 if accepted else 1)


@app.command("delete")
def connection_delete(
    context: typer.Context,
    name: str,
    detach: Annotated[bool, typer.Option("--detach", help="Keep exports that use it, without a connection.")] = False,
) -> None:
    """Remove a connection; refused while exports use it, unless they are detached."""
    with client(context) as api:
        users = _users(api, name) if detach else []
        try:
            api.delete(f"connections/{name}", **({"detach": "true"} if detach else {}))
        except ApiError as error:
            raise error.in_words(_DETACH) from None
    kept = f" Without a connection now: {', '.join(users)}." if users else ""
    say(f"Removed {name}.{kept}")


def _users(api: Client, connection: str) -> list[str]:
    return [item["name"] for item in api.items("exports") if item["connection"] == connection]
