"""Runs from a terminal: started, watched, canceled, verified, and their rejected rows."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer

from cli.client import ApiError, Client
from cli.show import FINAL, headline, run_table, table_of, watch
from cli.terminal import Json, Limit, client, console, errors, print_whole, put_out, put_out_text, say, say_if_older
from cli.words import command, minute, took

RunId = Annotated[str | None, typer.Argument(help="Default: the newest run that delivers, as runs lists them.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay and show how it goes.")]

REPAIR_SECONDS: Final = 10.0
"""Seconds to wait for the run that follows a verification to begin."""


def run(context: typer.Context, name: str, watch_it: Watch = False, as_json: Json = False) -> None:
    """Start a run. With --watch it ends with 1 unless the run was Successful."""
    with client(context) as api:
        started = api.post(f"exports/{name}/runs")
        if not watch_it:
            put_out(started, as_json, lambda: say(f"Started run {started['run']}."))
            return
        ended = _watched(api, name, started["run"], as_json)
    _show_end(ended, as_json)


def run_all(context: typer.Context, as_json: Json = False) -> None:
    """Start every export whose schedule is on."""
    with client(context) as api:
        done = api.post("runs")
    rows = [(item["export"], "started", item["run"]) for item in done["started"]]
    rows += [(item["export"], item["code"], item.get("run")) for item in done["skipped"]]
    put_out(done, as_json, lambda: print_whole(table_of(("Export", "What", "Run"), rows, whole=("Run",))))


def runs(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="An export; all of them if left out.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those in a status, such as Failed.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List runs, newest first: those of one export, or of all."""
    asked = {"export": name, "status": status}
    with client(context) as api:
        if name is not None:
            api.get(f"exports/{name}")  # which says so if there is none
        found, are_older = api.newest("runs", limit, **{key: value for key, value in asked.items() if value})
    numbers = ("delivered", "rejected", "removed")
    rows = [
        [
            item["id"],
            item["export"],
            item["status"],
            item["reason"],
            item["trigger"],
            minute(item["started_at"] or item["queued_at"]),
            took(item),
            *(f"{item['counts'][key]:,}" for key in numbers),
        ]
        for item in found
    ]
    columns = (
        "Run",
        "Export",
        "Status",
        "Reason",
        "Trigger",
        "Started (UTC)",
        "Took",
        "Delivered",
        "Rejected",
        "Removed",
    )
    put_out(found, as_json, lambda: print_whole(table_of(columns, rows, whole=("Export", "Started (UTC)", "Took"))))
    say_if_older(are_older, limit)


def status(
    context: typer.Context,
    name: str,
    run_id: Annotated[str | None, typer.Argument(help="Default: the newest run.")] = None,
    watch_it: Watch = False,
    as_json: Json = False,
) -> None:
    """Show one run: how far it is, or how it ended and what to do. With --watch it ends with 1 unless it was Successful."""
    with client(context) as api:
        chosen = run_id or _newest(api, name)["id"]
        found = _watched(api, name, chosen, as_json) if watch_it else api.get(f"exports/{name}/runs/{chosen}")

    def show() -> None:
        say(f"Run {found['id']}, {found['trigger']}, queued {found['queued_at'][:19]} UTC")
        _print_end(found)

    put_out(found, as_json, show)
    if watch_it and found["status"] != "Successful":
        raise typer.Exit(1)


def rejected(
    context: typer.Context,
    name: str,
    run_id: RunId = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count them by what is wrong, and say since when.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a run's rejected rows as CSV, or what is wrong with them in numbers."""
    with client(context) as api:
        chosen = run_id or _newest_delivering(api, name)
        if summary or as_json:
            found = api.get(f"exports/{name}/runs/{chosen}/rejected/summary")
            put_out(found, as_json, lambda: _show_faults(found))
            return
        put_out_text(api.text(f"exports/{name}/runs/{chosen}/rejected"))


def _show_faults(found: dict[str, Any]) -> None:
    rows = [
        (
            f"{item['rows']:,}",
            item["reason"],
            item["field"],
            ("before " if item["or_earlier"] else "") + minute(item["since"]),
            item["advice"],
            ", ".join(row["customer_id"] or row["where"] for row in item["examples"][:3]),
        )
        for item in found["groups"]
    ]
    print_whole(table_of(("Rows", "Reason", "Field", "Since (UTC)", "What to do", "Such as"), rows))
    if found["other_rows"]:
        say(f"{found['other_rows']:,} more rows are in smaller groups: the CSV has them, without --summary.")


def rerun(context: typer.Context, name: str, run_id: RunId = None) -> None:
    """Try only the rows again that a run rejected."""
    with client(context) as api:
        chosen = run_id or _newest_delivering(api, name)
        started = api.post(f"exports/{name}/runs/{chosen}/rerun")
    say(f"Started run {started['run']}: the rows that {chosen} rejected.")


def cancel(
    context: typer.Context,
    name: str,
    run_id: Annotated[str | None, typer.Argument(help="Default: the run that is going.")] = None,
) -> None:
    """Stop a run between chunks. What was delivered stays recorded."""
    with client(context) as api:
        chosen = run_id or api.get(f"exports/{name}")["active_run"]
        if not chosen:
            raise ApiError(404, {"detail": f"No run of {name!r} is going."})
        api.post(f"exports/{name}/runs/{chosen}/cancel")
    say(f"Canceling {chosen}.")


def verify(
    context: typer.Context,
    name: str,
    repair: Annotated[
        bool, typer.Option("--repair", help="Correct the state, and deliver what is missing or drifted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the export's lists back and compare them with what was delivered. Ends with 1 if they differ."""
    with client(context) as api:
        started = api.post(f"exports/{name}/verify?repair={str(repair).lower()}")
        ended = _watched(api, name, started["run"], as_json)
        follows = _repair_after(api, name, ended) if repair and ended["reason"] == "lists_differ" else None
        word = api.get(f"exports/{name}")["list_word"]

    def show() -> None:
        console.print(headline(ended), soft_wrap=True)
        if ended["findings"]:
            columns = (word.capitalize(), "Expected", "Found", "Missing", "Extra", "Drifted")
            print_whole(table_of(columns, [_finding(found, word) for found in ended["findings"]]))
        if follows:
            say(f"The repair is run {follows}: {command(f'status {name} --watch')}")

    put_out(ended, as_json, show)
    raise typer.Exit(0 if ended["status"] == "Successful" else 1)


def _finding(found: dict[str, Any], word: str) -> list[object]:
    """Lay out what one list came to; of a list that is gone nothing was found."""
    numbers = [f"{found[column]:,}" for column in ("expected", "found", "missing", "extra", "drifted")]
    if not found["exists"]:
        numbers[1] = f"the {word} is gone"
    return [found["list"], *numbers]


def _repair_after(api: Client, name: str, verification: dict[str, Any]) -> str | None:
    """Return the id of the run that delivers what a verification found missing, once it has begun."""
    deadline = time.monotonic() + REPAIR_SECONDS
    while time.monotonic() < deadline:
        newest = _newest(api, name)
        if newest["trigger"] == "repair" and newest["id"] > verification["id"]:
            return str(newest["id"])
        time.sleep(0.2)
    return None


def _watched(api: Client, name: str, run_id: str, as_json: bool) -> dict[str, Any]:
    return watch(errors if as_json else console, lambda: api.get(f"exports/{name}/runs/{run_id}"))


def _show_end(ended: dict[str, Any], as_json: bool) -> None:
    put_out(ended, as_json, lambda: _print_end(ended))
    raise typer.Exit(0 if ended["status"] == "Successful" else 1)


def _print_end(ended: dict[str, Any]) -> None:
    console.print(headline(ended), soft_wrap=True)
    if ended["planned_at"] or ended["status"] not in FINAL:
        print_whole(run_table(ended))


def _newest(api: Client, name: str) -> dict[str, Any]:
    for found in api.items(f"exports/{name}/runs"):
        return found
    raise ApiError(404, {"detail": f"The export {name!r} has no runs."})


def _newest_delivering(api: Client, name: str) -> str:
    """Return the id of the newest run that delivered, or tried to, and has ended; verifications have no rows."""
    for found in api.items(f"exports/{name}/runs"):
        if found["verification"] is None and found["ended_at"]:
            return str(found["id"])
    raise ApiError(404, {"detail": f"No run of the export {name!r} has delivered yet."})
