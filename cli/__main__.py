"""`python -m cli`: connect, segments, export, preview, run, runs, rejected, cancel."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import requests
import typer
import yaml
from rich.console import Console

from cli.client import ApiError, Client, NotConfigured, find_app
from cli.show import headline, run_table, table_of, watch

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Export Customer Insights segments to Autopilot.")
export_app = typer.Typer(no_args_is_help=True, help="Exports: what goes and how often.")
app.add_typer(export_app, name="export")

console = Console()
errors = Console(stderr=True)

_OWN_FIELDS = {"name", "created_at", "updated_at", "updated_by", "active_run", "warnings"}

Json = Annotated[bool, typer.Option("--json", help="Print what the API answered, as JSON.")]


@app.callback()
def main(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="API URL, such as https://NAME.azurewebsites.net/api.")] = None,
    key: Annotated[str | None, typer.Option(help="Function key; better in SEGMENT_EXPORT_KEY.")] = None,
) -> None:
    """Find the app that all commands talk to."""
    context.obj = (url, key)


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


@export_app.command("save")
def export_save(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", exists=True, dir_okay=False, help="The export as YAML.")],
    as_json: Json = False,
) -> None:
    """Create or replace the export that a YAML file describes. Saving does not run."""
    name, settings = _read(file)
    with client(context) as api:
        saved = api.put(f"exports/{name}", settings)

    def show() -> None:
        console.print(f"Saved [bold]{name}[/]. It runs with the next refresh, or now: cli run {name}")
        for warning in saved.get("warnings", []):
            console.print(f"[yellow]{warning}[/]")

    put_out(saved, as_json, show)


@export_app.command("diff")
def export_diff(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", exists=True, dir_okay=False, help="The export as YAML.")],
) -> None:
    """Show what saving a YAML file would change; ends with 1 if it would."""
    name, wanted = _read(file)
    with client(context) as api:
        try:
            stored = _settings(api.get(f"exports/{name}"))
        except ApiError as error:
            if error.status != 404:
                raise
            stored = {}
    shown = {key: value for key, value in stored.items() if key in wanted}
    lines = list(difflib.unified_diff(_lines(shown), _lines(wanted), "stored", str(file), lineterm=""))
    for line in lines:
        console.print(
            line, markup=False, style="green" if line.startswith("+") else "red" if line.startswith("-") else ""
        )
    raise typer.Exit(1 if lines else 0)


@export_app.command("show")
def export_show(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Print an export as the YAML that `export save` takes."""
    with client(context) as api:
        found = api.get(f"exports/{name}")
    text = yaml.safe_dump({"name": name, **_settings(found)}, sort_keys=False, allow_unicode=True)
    put_out(found, as_json, lambda: print(text, end=""))  # noqa: T201 - this is the output


@export_app.command("list")
def export_list(context: typer.Context, as_json: Json = False) -> None:
    """List exports."""
    with client(context) as api:
        found = list(api.items("exports"))
    rows = [
        (
            item["name"],
            item["display_name"],
            item["connection"] or "No connection",
            item["schedule"]["on"],
            item["updated_at"][:16],
            item["active_run"],
        )
        for item in found
    ]
    put_out(
        found,
        as_json,
        lambda: console.print(table_of(("Name", "Display name", "Connection", "Schedule", "Updated", "Running"), rows)),
    )


@export_app.command("duplicate")
def export_duplicate(context: typer.Context, name: str, copy: str) -> None:
    """Copy an export under another name, without its connection."""
    with client(context) as api:
        api.post(f"exports/{name}/duplicate", {"name": copy})
    console.print(f"Made {copy}. Give it a connection and lists of its own before it runs.")


@export_app.command("delete")
def export_delete(context: typer.Context, name: str) -> None:
    """Remove an export. What is at Autopilot stays there."""
    with client(context) as api:
        api.delete(f"exports/{name}")
    console.print(f"Removed {name}.")


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


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    """Read an export from YAML: its settings, and its name from the field `name` or the file's name."""
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{file} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise typer.BadParameter(f"{file} must hold the fields of one export.")
    return str(content.pop("name", file.stem)), content


def _settings(export: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in export.items() if key not in _OWN_FIELDS}


def _lines(content: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(content, sort_keys=True, allow_unicode=True).splitlines()


if __name__ == "__main__":
    app()
