"""What is wrong with a body is said at its own field, in words that need no knowledge of patterns or types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from export_trigger.http.access import Caller, Role
from export_trigger.http.connect import ConnectionBody
from export_trigger.http.exports import DuplicateBody
from export_trigger.http.request import Call, Problem
from shared.exports.configuration import ExportSettings

CONNECTION = {"display_name": "Main", "api_key": "a-key", "agree_to_privacy": True}
EXPORT = {"display_name": "Team", "connection": "main", "mapping": {"Email": "Email"}, "segments": ["Team"]}


def errors(kind: type[BaseModel], body: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with a body, by field."""
    call = Call({}, {}, {"content-type": "application/json"}, json.dumps(body).encode(), Caller("me", Role.ADMIN))
    with pytest.raises(Problem) as problem:
        call.read(kind)
    return {item["field"]: item["detail"] for item in problem.value.errors or ()}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"agree_to_privacy": False}, "agree_to_privacy", "must be true. By agreeing you allow"),
        ({"kind": "ortto", "region": "mars"}, "region", "is one of: us, au, eu"),
        ({"kind": "ortto"}, "region", "is one of: us, au, eu"),
        ({"region": "eu"}, "region", "Autopilot has none: leave it out"),
        ({"kind": "fax"}, "kind", "is one of: autopilot, ortto"),
        ({"secret_name": "autopilot-x"}, "secret_name", "not both"),
        ({"api_key": None, "secret_name": "no blanks"}, "secret_name", "has only letters, digits and hyphens"),
    ],
)
def test_what_is_wrong_with_a_connection_is_said_at_its_field(changes: dict[str, Any], field: str, said: str) -> None:
    found = errors(ConnectionBody, {**CONNECTION, **changes})
    assert [*found] == [field]
    assert said in found[field]


def test_a_name_is_asked_for_by_an_example_and_not_by_a_pattern() -> None:
    assert errors(ExportSettings, {**EXPORT, "connection": "Main!"}) == {
        "connection": "must be like a-name-1, at most 63 long"
    }
    assert errors(DuplicateBody, {"name": "A b"}) == {"name": "must be like a-name-1, at most 63 long"}


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({"on": "cron", "cron": "every day"}, "schedule.cron"),
        ({"on": "cron", "cron": "0 6 * * *", "time_zone": "Mars"}, "schedule.time_zone"),
        ({"on": "refresh", "often": 1}, "schedule.often"),
        ({"on": "moon"}, "schedule"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_at_its_field(schedule: dict[str, Any], field: str) -> None:
    assert [*errors(ExportSettings, {**EXPORT, "schedule": schedule})] == [field]
