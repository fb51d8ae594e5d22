"""`python -m cli`: connect, segments, export, preview, run, runs, rejected, cancel."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import exports
from cli.client import ApiError, Client
from cli.show import headline, run_table, table_of, watch
from cli.terminal import Json, client, console, errors, put_out

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Export Customer Insights segments to Autopilot.")
app.add_typer(exports.app, name="export")


@app.callback()
def main(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="API URL, such as https://NAME.azurewebsites.net/api.")] = None,
    key: Annotated[str | None, typer.Option(help="Function key; better in SEGMENT_EXPORT_KEY.")] = None,
) -> None:
    """Find the app that all commands talk to."""
    context.obj = (url, key)


@app.command()
def connect(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the connection, such as autopilot-main.")],
    display_name: Annotated[str | None, typer.Option(help="What people see.")] = None,
    secret_name: Annotated[str | None, typer.Option(help="Use this secret of the vault instead of a key.")] = None,
    rate_limit: Annotated[float, typer.Option(help="Requests a second.")] = 20,
    share: Annotated[bool, typer.Option(help="Contributors may use it too.")] = False,
    agree: Annotated[bool, typer.Option("--agree", help="Agree to the transfer of personal data.")] = False,
    as_json: Json = False,
) -> None:
    """Create a connection to an Autopilot account. The key is asked for, or read from a pipe; it is never shown."""
    key = (
        None
        if secret_name
        else (
            sys.stdin.readline().strip()
            if not sys.stdin.isatty()
            else typer.prompt("Autopilot API key", hide_input=True)
        )
    )
    body = {
        "display_name": display_name or name,
        "rate_limit": rate_limit,
        "access": "administrators_and_contributors" if share else "administrators",
        "agree_to_privacy": agree,
        **({"secret_name": secret_name} if secret_name else {"api_key": key}),
    }
    with client(context) as api:
        made = api.put(f"connections/{name}", body)
    put_out(made, as_json, lambda: console.print(f"Connected to [bold]{made['account'] or 'Autopilot'}[/] as {name}."))


@app.command()
def connections(context: typer.Context, as_json: Json = False) -> None:
    """List connections."""
    with client(context) as api:
        found = list(api.items("connections"))
    rows = [
        (item["name"], item["display_name"], item.get("account"), item.get("rate_limit"), item.get("access"))
        for item in found
    ]
    put_out(found, as_json, lambda: console.print(table_of(("Name", "Display name", "Account", "Rate", "For"), rows)))


@app.command()
def segments(context: typer.Context, as_json: Json = False) -> None:
    """List the segments that Customer Insights exported."""
    with client(context) as api:
        found = list(api.items("segments"))
    rows = [(item["name"], item["members"], item["refreshed_at"], item["why_not"] or "yes") for item in found]
    put_out(found, as_json, lambda: console.print(table_of(("Segment", "Members", "Refreshed", "Eligible"), rows)))


@app.command()
def preview(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Show everything a run would do. Nothing is sent."""
    with client(context) as api:
        found = api.post(f"exports/{name}/preview")

    def show() -> None:
        numbers = ("rows_read", "profiles", "duplicates", "joiners", "changed", "unchanged", "leavers")
        console.print(table_of(("", ""), [(f"{found[key]:,}", key.replace("_", " ")) for key in numbers]))
        for reason, rows in found["rejected"].items():
            console.print(f"[yellow]{rows:,} rejected: {reason}[/]")
        for field, cells in found["omitted"].items():
            console.print(f"[yellow]{cells:,} values left out: {field} cannot take them[/]")
        for field, cells in found["placeholders"].items():
            console.print(f"[dim]{cells:,} cells of {field} say that there is no value, such as NULL or N/A[/]")
        console.print(f"About {found['calls']:,} calls, {found['minutes']} minutes. Nothing was sent.")
        if found["would_be_skipped"]:
            console.print(f"[yellow]The run would be skipped: {found['would_be_skipped']}[/]")
        console.print_json(data=found["examples"])

    put_out(found, as_json, show)


@app.command()
def run(
    context: typer.Context,
    name: str,
    watch_it: Annotated[bool, typer.Option("--watch", help="Stay and show how it goes.")] = False,
    as_json: Json = False,
) -> None:
    """Start a run. With --watch it ends with 1 unless the run was Successful."""
    with client(context) as api:
        started = api.post(f"exports/{name}/runs")
        if not watch_it:
            put_out(started, as_json, lambda: console.print(f"Started run {started['run']}."))
            return
        ended = watch(errors if as_json else console, lambda: api.get(f"exports/{name}/runs/{started['run']}"))

    def show() -> None:
        console.print(headline(ended))
        console.print(run_table(ended))

    put_out(ended, as_json, show)
    raise typer.Exit(0 if ended["status"] == "Successful" else 1)


@app.command()
def runs(context: typer.Context, name: str, as_json: Json = False) -> None:
    """List an export's runs, newest first."""
    with client(context) as api:
        found = api.get(f"exports/{name}/runs")["items"]
    rows = [
        (
            item["id"],
            item["status"],
            item["reason"],
            item["trigger"],
            f"{item['counts']['delivered']:,}",
            f"{item['counts']['rejected']:,}",
            f"{item['counts']['removed']:,}",
        )
        for item in found
    ]
    put_out(
        found,
        as_json,
        lambda: console.print(
            table_of(("Run", "Status", "Reason", "Trigger", "Delivered", "Rejected", "Removed"), rows)
        ),
    )


@app.command()
def rejected(
    context: typer.Context,
    name: str,
    run_id: Annotated[str | None, typer.Argument(help="Default: the newest run.")] = None,
) -> None:
    """Print a run's rejected rows as CSV."""
    with client(context) as api:
        chosen = run_id or _newest(api, name)
        print(api.text(f"exports/{name}/runs/{chosen}/rejected"), end="")  # noqa: T201 - this is the output


@app.command()
def verify(
    context: typer.Context,
    name: str,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is missing or drifted.")] = False,
    as_json: Json = False,
) -> None:
    """Read the export's lists back and compare them with what was delivered. Ends with 1 if they differ."""
    with client(context) as api:
        started = api.post(f"exports/{name}/verify?repair={str(repair).lower()}")
        ended = watch(errors if as_json else console, lambda: api.get(f"exports/{name}/runs/{started['run']}"))

    def show() -> None:
        console.print(headline(ended))
        columns = ("list", "expected", "found", "missing", "extra", "drifted")
        rows = [[finding[column] for column in columns] for finding in ended["findings"]]
        console.print(table_of([column.capitalize() for column in columns], rows))

    put_out(ended, as_json, show)
    raise typer.Exit(0 if ended["status"] == "Successful" else 1)


@app.command()
def rerun(
    context: typer.Context,
    name: str,
    run_id: Annotated[str | None, typer.Argument(help="Default: the newest run.")] = None,
) -> None:
    """Try only the rows again that a run rejected."""
    with client(context) as api:
        chosen = run_id or _newest(api, name)
        started = api.post(f"exports/{name}/runs/{chosen}/rerun")
    console.print(f"Started run {started['run']}.")


@app.command()
def cancel(
    context: typer.Context,
    name: str,
    run_id: Annotated[str | None, typer.Argument(help="Default: the newest run.")] = None,
) -> None:
    """Stop a run between chunks. What was delivered stays recorded."""
    with client(context) as api:
        chosen = run_id or _newest(api, name)
        api.post(f"exports/{name}/runs/{chosen}/cancel")
    console.print(f"Canceling {chosen}.")


@app.command()
def erase(
    context: typer.Context, email: Annotated[str | None, typer.Argument(help="Asked for if left out.")] = None
) -> None:
    """Erase a person at Autopilot and from our state; no later run brings them back."""
    address = email or typer.prompt("E-mail address of the person to erase")
    with client(context) as api:
        done = api.post("erasure", {"email": address})
    console.print(f"Erased: {done['accounts']} accounts and {done['states']} states held this person.")


@app.command()
def audit(context: typer.Context, as_json: Json = False) -> None:
    """Show who changed or started what, newest first."""
    with client(context) as api:
        found = api.get("audit")["items"]
    rows = [(item["at"][:19], item["by"], item["what"], item["of"]) for item in found]
    put_out(found, as_json, lambda: console.print(table_of(("When (UTC)", "Who", "What", "Of"), rows)))


def _newest(api: Client, name: str) -> str:
    found = api.get(f"exports/{name}/runs", limit="1")["items"]
    if not found:
        raise ApiError(404, {"detail": f"The export {name!r} has no runs."})
    return str(found[0]["id"])


if __name__ == "__main__":
    app()
