"""Amounts: Ortto keeps 120 of a decimal or a currency as 120000, and only the account tells which field is one."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_trigger.steps import plan_run
from local.world import people
from shared.cleaning.notation import Notations
from shared.delivery.errors import NoAnswer
from shared.destinations.ortto.account import OrttoAccount
from shared.destinations.ortto.mapping import FIELDS, OrttoFields
from shared.reasons.errors import TryLater
from shared.reasons.rows import Hint
from tests.destinations.ortto.bench import OrttoBench
from tests.destinations.ortto.installed import MAPPING, run, save, write
from tests.destinations.ortto.test_bad_input import make_field
from tests.hostile.conftest import Installation

SPENT = "int:cm:spent"


def test_a_number_is_not_written_before_its_fields_type_is_known_and_its_owner_is_told_what_to_do() -> None:
    cells = pl.Series(["120", "12.5", None])
    assert FIELDS.unlearned(["str::email", SPENT]) == [SPENT]
    assert FIELDS.convert(SPENT, cells, "V", Notations()).to_list() == [None, None, None]
    assert FIELDS.convert_typed(SPENT, pl.Series("V", [120])).to_list() == [None]
    assert FIELDS.hints(SPENT, cells.head(2)).to_list() == [Hint.TYPE_UNKNOWN.value] * 2


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("integer", [120, None]), ("decimal", [120000, 12500]), ("currency", [120000, 12500])],
)
def test_a_number_whose_fields_type_is_known_is_written_to_its_scale(kind: str, sent: list[int | None]) -> None:
    fields = OrttoFields({SPENT: kind})
    assert fields.unlearned([SPENT]) == []
    assert fields.convert(SPENT, pl.Series(["120", "12.5"]), "V", Notations()).to_list() == sent


def forget_types(installation: Installation) -> None:
    """Forget what an account told of its fields, as if it had not answered the save, or another one is connected."""
    app = installation.app
    account = app.account("main").id
    for name in app.accounts.notes(account):
        if name.startswith("field:"):
            app.accounts.remember_note(account, name, None)


@pytest.mark.parametrize(
    "text", ["600000000.0005", "1234567890.1234", "-1234567890.9999", "99999999999.9999", "0.0005", "1.0001"]
)
def test_an_amount_that_needs_more_than_thousandths_is_left_out_however_large_it_is(text: str) -> None:
    assert written([text]) == [None]


@given(st.lists(st.tuples(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 9)), min_size=1, max_size=50))
def test_what_is_written_is_the_amount_to_the_last_digit(drawn: list[tuple[int, int]]) -> None:
    amounts = [Decimal(digits).scaleb(-places) for digits, places in drawn]
    found = written([f"{amount:f}" for amount in amounts])
    for amount, sent in zip(amounts, found, strict=True):
        scaled = amount * 1000
        is_whole = scaled == scaled.to_integral_value() and abs(scaled) < 10**15
        assert sent == (int(scaled) if is_whole else None) or abs(scaled - (sent or 0)) < Decimal("0.00001")


def written(texts: list[str]) -> list[int | None]:
    fields = OrttoFields({SPENT: "currency"})
    return fields.convert(SPENT, pl.Series(texts, dtype=pl.String), "Amount", Notations()).to_list()


def test_a_run_and_a_preview_have_the_account_tell_types_that_nobody_asked_for(
    ortto: OrttoBench, installation: Installation, url: str
) -> None:
    spent = make_field(url, "decimal", "Spent")
    write(installation.stack, {"Team": people("a@example.com", Spent="120")})
    assert save(installation, mapping={**MAPPING, spent: "Spent"})[0] == 201
    forget_types(installation)
    assert installation.ask("preview_export", "team")[1]["omitted"] == {}
    forget_types(installation)
    counts = run(installation)["counts"]
    assert (counts["delivered"], counts["values_omitted"]) == (1, 0)
    assert ortto.look("people/a@example.com")["fields"][spent] == 120_000


def test_a_run_waits_for_the_types_and_a_preview_leaves_the_values_out_by_name(
    ortto: OrttoBench, installation: Installation, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = make_field(url, "currency", "Spent")
    write(installation.stack, {"Team": people("a@example.com", Spent="120")})
    assert save(installation, mapping={**MAPPING, spent: "Spent"})[0] == 201
    forget_types(installation)

    def silent(account: OrttoAccount, names: object, caller: object) -> None:
        raise NoAnswer("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(OrttoAccount, "check_fields", silent)
        assert installation.ask("preview_export", "team")[1]["omitted"] == {spent: 1}
        _, started = installation.ask("start_run", "team")
        with pytest.raises(TryLater):
            plan_run.plan_run(installation.app, "team", started["run"])
    assert ortto.members("Team") == set()


def test_a_field_that_is_gone_before_its_type_was_told_ends_the_run_by_name(
    ortto: OrttoBench, installation: Installation, url: str
) -> None:
    spent = make_field(url, "decimal", "Spent")
    write(installation.stack, {"Team": people("a@example.com", Spent="120")})
    save(installation, mapping={**MAPPING, spent: "Spent"})
    forget_types(installation)
    ortto.by_hand("DELETE", f"fields/{spent}")
    ended = run(installation, fails=True)
    assert (ended["reason"], ended["counts"]["delivered"]) == ("field_unknown", 0)
