"""Rejected rows in numbers: what is wrong, with how many, such as whose, and since when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from export_trigger.http.access import Caller, Role
from export_trigger.http.rejected import get_rejected_summary
from export_trigger.http.request import Call, Problem
from export_trigger.steps.rejecting import MOST_FILES, MOST_RUNS
from shared.azure.storage import Container
from shared.azure.tables import Change
from shared.composition.app import App
from shared.planning.survey import REJECTED
from shared.reasons.codes import Reason
from shared.runs.counts import Counts
from shared.runs.files import rejected_path
from shared.runs.ledger import _run_key
from shared.runs.rejected import write_rejected
from shared.runs.run import Run
from tests.export_trigger.http.past import a_run

type Row = tuple[str | None, int | None, str | None, str, str | None, str | None]

NO_ADDRESS: Row = ("c1", 0, "Email", "email_missing", None, None)
WRONG: Row = ("c2", 0, "Email", "email_invalid", None, None)
SPENT: Row = ("=c3", 1, "float--Spent", "value_omitted", None, "currency")
BROKEN: Row = (None, 1, None, "row_malformed", "row 7 of VIP.csv", None)


def keep(app: App, run: Run, rows: Sequence[Row]) -> Run:
    """Keep an ended run with these rejected rows."""
    omitted = sum(row[3] == "value_omitted" for row in rows)
    counts = Counts(rows_read=3, rejected=len(rows) - omitted, values_omitted=omitted)
    kept = run.model_copy(update={"counts": counts})
    app.ledger._table.write(run.export, [Change(_run_key(run.id), kept, None)])
    if rows:
        table = pl.DataFrame(list(rows), schema=REJECTED, orient="row")
        data = write_rejected(table, ["VIP", "Team"])
        app.storage.put(Container.REJECTED, rejected_path(run.export, run.id), data)
    return kept


def summary(app: App, run: Run) -> Any:
    call = Call({"export": run.export, "run": run.id}, {}, {}, b"", Caller("me", Role.VIEWER))
    return json.loads(get_rejected_summary(app, call).content())


@pytest.fixture
def name(run: Run) -> str:
    """Return an export's name that nobody else has."""
    return run.export


def test_rows_are_counted_by_what_is_wrong_the_most_first(app: App, name: str) -> None:
    many = [("c9", 0, "Email", "email_missing", None, None)] * 7
    run = keep(app, a_run(app, name, 5, Reason.ROWS_REJECTED), [*many, WRONG, SPENT, BROKEN])
    found = summary(app, run)
    assert (found["rows"], found["other_rows"]) == (10, 0)
    assert datetime.fromisoformat(found["kept_until"]) - run.queued_at == timedelta(days=app.settings.rejected_days)
    assert [(item["reason"], item["rows"]) for item in found["groups"]] == [
        ("email_missing", 7),
        ("email_invalid", 1),
        ("row_malformed", 1),
        ("value_omitted", 1),
    ]
    missing, _, broken, omitted = found["groups"]
    assert len(missing["examples"]) == 5
    assert (missing["field"], missing["segments"]) == ("Email", {"VIP": 7})
    assert "Give the profile an e-mail address" in missing["advice"]
    assert broken["examples"] == [{"customer_id": "", "segment": "Team", "where": "row 7 of VIP.csv"}]
    assert omitted["examples"][0]["customer_id"] == "=c3"  # as it is, not as a spreadsheet gets it
    assert (omitted["delivered"], missing["delivered"]) == (True, False)
    assert "Take the currency off" in omitted["advice"]


def test_since_when_is_the_first_run_in_a_row_that_rejected_rows_so(app: App, name: str) -> None:
    keep(app, a_run(app, name, 50), [NO_ADDRESS])
    keep(app, a_run(app, name, 40), [])
    third = keep(app, a_run(app, name, 30), [NO_ADDRESS])
    check = a_run(app, name, 25).model_copy(update={"verification": "report"})
    keep(app, check, [])  # which reads no segment
    fourth = keep(app, a_run(app, name, 20), [NO_ADDRESS, WRONG])
    last = keep(app, a_run(app, name, 10), [NO_ADDRESS, WRONG, SPENT])
    found = {item["reason"]: (item["since_run"], item["or_earlier"]) for item in summary(app, last)["groups"]}
    assert found == {
        "email_missing": (third.id, False),
        "email_invalid": (fourth.id, False),
        "value_omitted": (last.id, False),
    }


def test_where_a_file_has_expired_it_may_be_longer(app: App, name: str) -> None:
    expired = keep(app, a_run(app, name, 30), [NO_ADDRESS])
    app.storage.delete(Container.REJECTED, rejected_path(name, expired.id))
    run = keep(app, a_run(app, name, 10), [NO_ADDRESS])
    (group,) = summary(app, run)["groups"]
    assert (group["since_run"], group["or_earlier"]) == (run.id, True)


@pytest.mark.parametrize(("rejecting", "failed"), [(MOST_FILES + 1, 0), (1, MOST_RUNS)])
def test_where_nobody_looks_any_further_it_may_be_longer(app: App, name: str, rejecting: int, failed: int) -> None:
    for number in range(rejecting):
        keep(app, a_run(app, name, 900 - number), [NO_ADDRESS])
    for number in range(failed):  # runs that ended before their plan, such as for a source that could not be read
        keep(app, a_run(app, name, 800 - number).model_copy(update={"plan": None}), [])
    (group,) = summary(app, keep(app, a_run(app, name, 10), [NO_ADDRESS]))["groups"]
    assert group["or_earlier"] is True


def test_small_groups_beyond_the_first_hundred_are_counted(app: App, name: str) -> None:
    fields = [f"string--F{number}" for number in range(130)]
    rows: list[Row] = [("c", 0, field, "value_not_convertible", None, None) for field in fields]
    found = summary(app, keep(app, a_run(app, name, 5), rows))
    assert (len(found["groups"]), found["other_rows"], found["rows"]) == (100, 30, 130)


def test_a_run_without_a_file_and_one_whose_file_is_another_say_so(app: App, name: str) -> None:
    run = keep(app, a_run(app, name, 5), [])
    with pytest.raises(Problem) as refused:
        summary(app, run)
    assert refused.value.code == "no_rejected_rows"
    app.storage.put(Container.REJECTED, rejected_path(name, run.id), b"\xff\xfenothing of ours")
    with pytest.raises(Problem) as refused:
        summary(app, run)
    assert refused.value.code == "file_damaged"
    assert "nothing of ours" not in refused.value.detail
