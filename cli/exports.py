"""`export`: save, diff, preview, show, list, duplicate, delete. An export is a YAML file, so that it can be kept as code."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
import yaml

from cli.client import ApiError
from cli.migrate import moved, propose
from cli.preview import show_preview
from cli.show import table_of
from cli.terminal import Json, client, errors, print_whole, put_out, put_out_text, say
from cli.words import command

app = typer.Typer(no_args_is_help=True, help="Exports: what goes and how often.")

_FILE_HELP: Final = "The export as YAML. Without `name:` in it, the file's name is the export's name."

_OWN_FIELDS = {"name", "created_at", "updated_at", "updated_by", "members", "warnings"}
_OWN_FIELDS |= {
    "active_run",
    "current_run",
    "last_run",
    "last_delivery",
    "last_delivered",
    "next_run",
    "list_word",
    "may",
}


@app.command("save")
def export_save(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", exists=True, dir_okay=False, help=_FILE_HELP)],
    as_json: Json = False,
) -> None:
    """Create or replace the export that a YAML file describes. Saving does not run."""
    name, settings = _read(file)
    with client(context) as api:
        saved = api.put(f"exports/{name}", settings)

    def show() -> None:
        for segment, members in saved["members"].items():
            say(f"{segment}: {'members not counted' if members is None else f'{members:,} members'}")
        say(f"Saved {name}. {_when(saved)}")
        for warning in saved.get("warnings", []):
            say(warning, style="yellow")

    put_out(saved, as_json, show)


def _when(saved: dict[str, Any]) -> str:
    """Return when a saved export runs."""
    now, schedule = command(f"run {saved['name']}"), saved["schedule"]
    if saved["connection"] is None:
        return "It has no connection, and does not run before it has one."
    if schedule["on"] == "refresh":
        return f"It runs with the next refresh, or now: {now}"
    if schedule["on"] == "cron":
        return f"It runs at {schedule['cron']} ({schedule['time_zone']}), or now: {now}"
    return f"Its schedule is off: it runs when it is told to: {now}"


@app.command("diff")
def export_diff(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", exists=True, dir_okay=False, help=_FILE_HELP)],
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
    written = _spelled_out(wanted)
    lines = list(
        difflib.unified_diff(_lines(_named_in(written, stored)), _lines(written), "stored", str(file), lineterm="")
    )
    for line in lines:
        say(line, style="green" if line.startswith("+") else "red" if line.startswith("-") else "")
    raise typer.Exit(1 if lines else 0)


@app.command("preview")
def export_preview(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", "-f", exists=True, dir_okay=False, help=_FILE_HELP)],
    as_json: Json = False,
) -> None:
    """Show what a run would do if a YAML file were saved. Nothing is saved, and nothing is sent."""
    name, settings = _read(file)
    with client(context) as api:
        found = api.post_long(f"exports/{name}/preview", settings)
    put_out(found, as_json, lambda: show_preview(found))


@app.command("show")
def export_show(context: typer.Context, name: str, as_json: Json = False) -> None:
    """Print an export as the YAML that `export save` takes."""
    with client(context) as api:
        found = api.get(f"exports/{name}")
    text = yaml.safe_dump({"name": name, **_settings(found)}, sort_keys=False, allow_unicode=True)
    put_out(found, as_json, lambda: put_out_text(text))


@app.command("list")
def export_list(context: typer.Context, as_json: Json = False) -> None:
    """List exports: how the last run of each ended that tells of a delivery, and the refresh that its lists hold (As of)."""
    with client(context) as api:
        found = list(api.items("exports"))
    rows = [
        (
            item["name"],
            item["display_name"],
            item["connection"] or "No connection",
            item["schedule"]["on"],
            *_ended(item["last_delivery"] or item["last_run"], item["last_run"]),
            (item["last_delivered"] or {}).get("as_of", "")[:16],
            ((item["next_run"] or {}).get("at") or "")[:16],
            item["active_run"],
        )
        for item in found
        if "damaged" not in item
    ]
    rows += [(item["name"], "damaged", item["detail"], *[""] * 6) for item in found if "damaged" in item]
    columns = ("Name", "Display name", "Connection", "Schedule", "Last delivery", "Reason", "As of", "Next", "Running")
    put_out(found, as_json, lambda: print_whole(table_of(columns, rows, whole=("Connection", "Running"))))


def _ended(delivery: dict[str, Any] | None, last: dict[str, Any] | None) -> tuple[str, str]:
    """Return how a delivery ended, and why; a verification after it hides nothing, and is told too if it did not end well."""
    if not delivery or not last:
        return "never ran", ""
    reasons = [delivery["reason"]]
    if last["id"] != delivery["id"] and last["status"] != "Successful":
        reasons.append(last["reason"])
    return delivery["status"], ", ".join(filter(None, reasons))


@app.command("duplicate")
def export_duplicate(context: typer.Context, name: str, copy: str) -> None:
    """Copy an export under another name, without its connection."""
    with client(context) as api:
        api.post(f"exports/{name}/duplicate", {"name": copy})
    say(f"Made {copy}. Give it a connection and lists of its own before it runs.")


@app.command("migrate")
def export_migrate(
    context: typer.Context,
    name: str,
    to: Annotated[str, typer.Option("--to", help="The Ortto connection that it shall use.")],
    new_people: Annotated[
        Literal["subscribed", "not_subscribed"] | None,
        typer.Option(help="May those be mailed whom it creates? Asked for before it is saved."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Propose an export of Autopilot as one of Ortto: prints the YAML that `export save` takes, and saves nothing."""
    with client(context) as api:
        export = api.get(f"exports/{name}")
        if (kind := api.get(f"connections/{to}")["kind"]) != "ortto":
            raise typer.BadParameter(f"{to} leads to {kind}: name a connection to Ortto.", param_hint="--to")
        found = propose(export["mapping"], api.get(f"connections/{to}/fields")["fields"])
    settings = {"name": name, **moved(_settings(export), to, found.mapping, new_people)}
    notes = (
        found.notes
        if new_people
        else [*found.notes, "Say new_people: subscribed or not_subscribed, before you save it."]
    )
    for note in notes:
        say(note, style="yellow", to=errors)
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    put_out({"export": settings, "notes": notes}, as_json, lambda: put_out_text(text))


@app.command("delete")
def export_delete(context: typer.Context, name: str) -> None:
    """Remove an export. What it delivered stays where it is."""
    with client(context) as api:
        api.delete(f"exports/{name}")
    say(f"Removed {name}.")


class _Yaml(yaml.SafeLoader):
    """Reads YAML as version 1.2 does: `on` and `off` are words, not yes and no."""


_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$", re.IGNORECASE), list("tTfF"))


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    """Read an export from YAML: its settings, and its name from the field `name` or the file's name."""
    try:
        content = yaml.load(file.read_text(), Loader=_Yaml)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{file} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise typer.BadParameter(f"{file} must hold the fields of one export.")
    return str(content.pop("name", file.stem)), content


def _settings(export: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in export.items() if key not in _OWN_FIELDS}


def _spelled_out(wanted: dict[str, Any]) -> dict[str, Any]:
    """Spell out what a file may leave short: a segment's name stands for a list of the same name."""
    segments = [
        {"segment": item, "list": item} if isinstance(item, str) else item for item in wanted.get("segments", [])
    ]
    return {**wanted, "segments": segments} if segments else wanted


def _named_in(wanted: Any, stored: Any) -> Any:
    """Return of what is stored the part that a file names: what it leaves out keeps its default. A mapping counts whole."""
    if not isinstance(wanted, dict) or not isinstance(stored, dict):
        return wanted if wanted == stored else stored  # 50 and 50.0 are the same
    return {
        key: value if key == "mapping" else _named_in(wanted[key], value)
        for key, value in stored.items()
        if key in wanted
    }


def _lines(content: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(content, sort_keys=True, allow_unicode=True).splitlines()
