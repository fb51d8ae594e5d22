"""`python -m cli`: connect, segments, export, preview, run, runs, rejected, cancel, verify, health and more."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from cli import connections, exports, runs
from cli.person import show_person
from cli.preview import show_preview
from cli.show import table_of
from cli.terminal import Json, Limit, client, print_whole, put_out, say, say_if_older
from cli.words import command, done_to, may, minute

_URL_HELP: Final = "API URL, such as https://NAME.azurewebsites.net/api; or in SEGMENT_EXPORT_URL. If neither is given: the local stack."
_KEY_HELP: Final = "Function key; better in SEGMENT_EXPORT_KEY. A token of Entra goes in SEGMENT_EXPORT_TOKEN."

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Export Customer Insights segments to Autopilot or Ortto."
)
app.command()(connections.connect)
app.command("connections")(connections.connections)
app.add_typer(connections.app, name="connection")
app.add_typer(exports.app, name="export")
app.command()(runs.run)
app.command()(runs.run_all)
app.command()(runs.runs)
app.command()(runs.status)
app.command()(runs.rejected)
app.command()(runs.rerun)
app.command()(runs.cancel)
app.command()(runs.verify)


@app.callback()
def main(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help=_URL_HELP)] = None,
    key: Annotated[str | None, typer.Option(help=_KEY_HELP)] = None,
) -> None:
    """Find the app that all commands talk to."""
    context.obj = (url, key)


@app.command()
def segments(context: typer.Context, as_json: Json = False) -> None:
    """List the segments that Customer Insights exported."""
    with client(context) as api:
        found = list(api.items("segments"))
    rows = [
        (
            item["name"],
            "" if item["members"] is None else f"{item['members']:,}",
            minute(item["refreshed_at"]),
            item["why_not"] or item.get("not_counted") or "yes",
        )
        for item in found
    ]
    put_out(found, as_json, lambda: print_whole(table_of(("Segment", "Members", "Refreshed (UTC)", "Eligible"), rows)))


@app.command()
def preview(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Show everything a run would do. Nothing is sent."""
    with client(context) as api:
        found = api.post_long(f"exports/{name}/preview")
    put_out(found, as_json, lambda: show_preview(found))


@app.command()
def health(context: typer.Context, as_json: Json = False) -> None:
    """Show the app's version, whether it reaches storage, vault and source, and if not, what to do. Ends with 1 if not."""
    with client(context) as api:
        found = api.health()
    rows = [
        (part, "reachable" if state.get("reachable") else state.get("code"), state.get("detail", ""))
        for part, state in found.items()
        if isinstance(state, dict)
    ]

    def show() -> None:
        say(f"The app at {api.url}, version {found['version']}.")
        print_whole(table_of(("Part", "State", "What to do"), rows))

    put_out(found, as_json, show)
    raise typer.Exit(0 if found["healthy"] else 1)


@app.command()
def me(context: typer.Context, as_json: Json = False) -> None:
    """Show who the app takes you for, and what your role may do (with --json: which calls of the API)."""
    with client(context) as api:
        found = api.get("me")

    def show() -> None:
        say(f"{found['id']}, {found['role']} (authentication: {found['mode']}), at {api.url}")
        say(may(found["role"]))

    put_out(found, as_json, show)


@app.command()
def explain(
    context: typer.Context,
    name: str,
    email: Annotated[str | None, typer.Argument(help="Asked for if left out, so that no history keeps it.")] = None,
    as_json: Json = False,
) -> None:
    """Find a person: why somebody is on an export's lists, or is not. Ends with 1 unless they are on all of them."""
    address = email or typer.prompt("E-mail address of the person to find")
    with client(context) as api:
        found = api.post(f"exports/{name}/explain", {"email": address})
        word = api.get(f"exports/{name}")["list_word"]
    put_out(found, as_json, lambda: show_person(found, word))
    raise typer.Exit(0 if all(item["why"] == "member" for item in found["lists"]) else 1)


@app.command()
def erase(
    context: typer.Context, email: Annotated[str | None, typer.Argument(help="Asked for if left out.")] = None
) -> None:
    """Erase a person at every account and from our state; no later run brings them back. Ends with 1 unless it is done."""
    address = email or typer.prompt("E-mail address of the person to erase")
    with client(context) as api:
        done = api.post("erasure", {"email": address})
    _show_erasure(done)


@app.command()
def erasure(context: typer.Context, erasure_id: Annotated[str, typer.Argument(help="As `erase` printed it.")]) -> None:
    """Show how far an erasure is. Ends with 1 unless it is done."""
    with client(context) as api:
        found = api.get(f"erasure/{erasure_id}")
    _show_erasure(found)


def _show_erasure(found: dict[str, Any]) -> None:
    if found["erased"]:
        say(f"Erased: {found['accounts']} accounts and {found['states']} states held this person.")
        return
    say(f"Not done yet: {found['detail']}")
    for item in found["connections"]:
        if not item["erased"]:
            say(f"{item['connection']}: {item['code']}. {item['detail']}")
    for run in found["waiting_for"]:
        say(f"Waits for run {run['run']} of {run['export']}.")
    say(f"Look again with: {command(f'erasure {found["id"]}')}")
    raise typer.Exit(1)


@app.command()
def audit(
    context: typer.Context,
    export: Annotated[str | None, typer.Option(help="What was done with this export only.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show who changed or started what, newest first."""
    with client(context) as api:
        found, are_older = api.newest("audit", limit, **({"export": export} if export else {}))
    rows = [(item["at"][:19], item["by"], item["what"], done_to(item["of"])) for item in found]
    put_out(found, as_json, lambda: print_whole(table_of(("When (UTC)", "Who", "What", "Of"), rows, whole=("Of",))))
    say_if_older(are_older, limit)


if __name__ == "__main__":
    app()
