"""What every source must do. A kind of source passes by a class of tests that inherits `SourceContract` and makes its stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import polars as pl
import pytest

from shared.planning.plan import plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient
from shared.sources.counts import Counts, Members
from shared.sources.source import KEY, MALFORMED, OWN_COLUMNS, ROW, TRACES, WHERE, Source, Table
from shared.state.digests import DigestKey
from shared.state.state import State
from tests.cleaning.recipes import recipe_for

type Rows = Sequence[Mapping[str, object]]

PEOPLE: Final[Rows] = [
    {"Name": "Ann", "Email": "ann@example.com", "Points": 7},
    {"Name": None, "Email": "bob@example.com", "Points": None},
    {"Name": "Cy", "Email": None, "Points": 9},
    {"Name": "Ann", "Email": "dee@example.com", "Points": 7},
    {"Name": "Eve", "Email": "eve@example.com", "Points": 1},
]
"""Five people; a source keys them `k0` to `k4` in the order given."""

COLUMNS: Final = ("Name", "Email", "Points")
LATER: Final = timedelta(days=1)
QUIET: Final = timedelta(hours=1)
ENOUGH: Final = 60.0


class Stage(Protocol):
    """A source, and ways to have it hold what a test needs."""

    @property
    def source(self) -> Source:
        """The source under test."""
        ...

    def publish(self, tables: Mapping[str, Rows], *, torn: int | None = None) -> None:
        """Publish a refresh: rows with a key each; the row numbered `torn` of each table in a way that nobody understands."""
        ...

    def publish_without_key(self, name: str) -> None:
        """Publish a refresh with a table whose rows have no keys."""
        ...

    def take_away(self, column: str) -> None:
        """Take a column out of where the rows are, though the catalogue names it; or out of both, if that cannot be."""
        ...

    def down(self) -> AbstractContextManager[None]:
        """Have nothing answer for a while."""
        ...


class SourceContract:
    """The contract. `stage` is a fixture that the kind of source gives."""

    def test_the_catalogue_names_tables_columns_key_and_refresh(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE, "New": PEOPLE[:1]})
        catalogue = stage.source.catalogue()
        assert sorted(catalogue.tables) == ["New", "VIP"]
        table = catalogue.table("VIP")
        assert {table.key, *COLUMNS} == set(table.columns)
        assert (table.has_key, bool(catalogue.version), bool(catalogue.title)) == (True, True, True)
        assert table.refreshed_at is None or table.refreshed_at.tzinfo is not None
        assert stage.source.catalogue().version == catalogue.version
        stage.publish({"VIP": PEOPLE})
        assert stage.source.catalogue().version != catalogue.version

    def test_a_segment_that_is_not_there_is_named_with_one_like_it(self, stage: Stage) -> None:
        stage.publish({"Frequent buyers": PEOPLE})
        with pytest.raises(ExportError, match=r"'Frequent buyer'.*'Frequent buyers'") as caught:
            stage.source.catalogue().table("Frequent buyer")
        assert caught.value.reason is Reason.SEGMENT_MISSING

    def test_a_table_without_keys_is_not_eligible(self, stage: Stage) -> None:
        stage.publish_without_key("Places")
        with pytest.raises(ExportError) as caught:
            stage.source.catalogue().table("Places")
        assert caught.value.reason is Reason.SEGMENT_NOT_ELIGIBLE

    def test_the_last_refresh_is_settled_once_it_was_quiet(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        catalogue, now = stage.source.catalogue(), datetime.now(UTC)
        stage.source.verify_settled(catalogue, ["VIP"], now=now + LATER, quiet=QUIET)
        with pytest.raises(ExportError) as caught:
            stage.source.verify_settled(catalogue, ["VIP"], now=now, quiet=QUIET)
        assert (caught.value.reason, caught.value.may_pass) == (Reason.SOURCE_NOT_SETTLED, True)

    def test_an_older_refresh_is_never_settled(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        catalogue = stage.source.catalogue()
        stage.publish({"VIP": PEOPLE[:1]})
        with pytest.raises(ExportError) as caught:
            stage.source.verify_settled(catalogue, (), now=datetime.now(UTC) + LATER, quiet=timedelta.min)
        assert caught.value.reason is Reason.SOURCE_NOT_SETTLED

    def test_rows_have_one_version_until_they_are_written_again(self, stage: Stage) -> None:
        def version() -> str:
            catalogue = stage.source.catalogue()
            return stage.source.verify_settled(catalogue, ["VIP"], now=datetime.now(UTC), quiet=timedelta.min)

        stage.publish({"VIP": PEOPLE, "New": PEOPLE[:1]})
        first = version()
        assert first
        assert version() == first
        stage.publish({"VIP": PEOPLE, "New": PEOPLE[:1]})
        assert version() != first

    def test_rows_come_with_their_numbers_and_keys_in_the_same_order_each_time(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        found = read(stage.source)
        assert found.drop(TRACES, strict=False).columns == [*OWN_COLUMNS, *COLUMNS]
        assert found.schema[ROW] == pl.UInt64
        assert found[ROW].to_list() == list(range(5))
        assert found[KEY].to_list() == [f"k{number}" for number in range(5)]
        assert found["Name"].to_list() == ["Ann", None, "Cy", "Ann", "Eve"]
        assert found["Email"].null_count() == 1
        assert not found[MALFORMED].any()
        assert found[WHERE].null_count() == 5
        assert found.equals(read(stage.source))

    def test_only_the_columns_asked_for_come_the_key_among_them_if_it_is_asked_for(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        key = stage.source.catalogue().table("VIP").key
        found = read(stage.source, ["Email", key, "Email"])
        assert found.drop(TRACES, strict=False).columns == [*OWN_COLUMNS, "Email", key]
        assert found[key].cast(pl.String).equals(found[KEY])

    def test_a_row_that_nobody_understands_is_marked_with_its_place_and_harms_no_other(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE}, torn=1)
        found = read(stage.source)
        assert found[MALFORMED].to_list() == [False, True, False, False, False]
        assert found[WHERE].is_not_null().to_list() == [False, True, False, False, False]
        assert found.filter(MALFORMED).select(KEY, *COLUMNS).row(0) == (None, None, None, None)
        assert found.filter(~pl.col(MALFORMED))[KEY].to_list() == ["k0", "k2", "k3", "k4"]

    @pytest.mark.parametrize(
        ("column", "reason"), [("Points", Reason.COLUMN_MISSING), ("Email", Reason.EMAIL_COLUMN_MISSING)]
    )
    def test_a_column_that_is_not_where_the_rows_are_is_named_never_empty(
        self, stage: Stage, column: str, reason: Reason
    ) -> None:
        stage.publish({"VIP": PEOPLE})
        stage.take_away(column)
        with pytest.raises(ExportError, match=column) as caught:
            read(stage.source)
        assert caught.value.reason is reason

    def test_rows_that_are_replaced_while_they_are_read_are_not_settled(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        table = stage.source.catalogue().table("VIP")
        batches = stage.source.read(table, COLUMNS, "Email")
        next(batches)
        stage.publish({"VIP": PEOPLE[:4]})
        with pytest.raises(ExportError) as caught:
            list(batches)
        assert caught.value.reason is Reason.SOURCE_NOT_SETTLED

    def test_a_source_that_does_not_answer_may_answer_later(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        catalogue = stage.source.catalogue()
        asks: tuple[Callable[[], object], ...] = (
            stage.source.catalogue,
            lambda: stage.source.verify_settled(catalogue, ["VIP"], now=datetime.now(UTC), quiet=timedelta.min),
            lambda: list(stage.source.read(catalogue.table("VIP"), COLUMNS)),
        )
        with stage.down():
            for ask in asks:
                with pytest.raises(Transient) as caught:
                    ask()
                assert caught.value.reason is Reason.SOURCE_UNREACHABLE
                assert caught.value.detail
        assert read(stage.source).height == 5

    def test_an_empty_table_has_no_rows_and_is_no_fault(self, stage: Stage) -> None:
        stage.publish({"VIP": []})
        assert sum(batch.height for batch in stage.source.read(vip(stage.source), COLUMNS, "Email")) == 0
        assert Counts(stage.source).of([vip(stage.source)], ENOUGH) == {"VIP": Members(0)}

    def test_rows_are_counted_and_again_after_a_refresh(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        counts = Counts(stage.source)
        assert counts.of([vip(stage.source)], ENOUGH) == {"VIP": Members(5)}
        stage.publish({"VIP": PEOPLE[:3]})
        assert counts.of([vip(stage.source)], ENOUGH) == {"VIP": Members(3)}

    def test_a_plan_makes_the_same_contacts_of_it_whatever_types_its_columns_have(self, stage: Stage) -> None:
        stage.publish({"VIP": PEOPLE})
        recipe = recipe_for({"Email": "Email", "FirstName": "Name", "integer--Points": "Points"})
        with Spool() as spool:
            planned = plan([Segment(stage.source)], recipe, _DIGESTS, State.empty(), [""], Scope(True), spool)
            operations = planned.difference.operations
            assert (operations.height, planned.rejected["reason"].to_list()) == (4, ["email_missing"])
            digests = operations.sort("row")["content"].to_list()
        assert digests == _DIGESTS.of_contents(pl.Series(_CONTACTS)).to_list()


class Segment:
    """The table VIP as a plan reads it."""

    def __init__(self, source: Source) -> None:
        self._source, self._table = source, vip(source)
        self.name, self.columns, self.declared = self._table.name, self._table.columns, self._table.declared

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        return self._source.read(self._table, columns, "Email")


_DIGESTS: Final = DigestKey(b"k" * 32)
_CONTACTS: Final = (
    '{"Email":"ann@example.com","FirstName":"Ann","custom":{"integer--Points":7}}',
    '{"Email":"bob@example.com"}',
    '{"Email":"dee@example.com","FirstName":"Ann","custom":{"integer--Points":7}}',
    '{"Email":"eve@example.com","FirstName":"Eve","custom":{"integer--Points":1}}',
)


def vip(source: Source) -> Table:
    """Return the table VIP of the last refresh."""
    return source.catalogue().table("VIP")


def read(source: Source, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """Read the table VIP."""
    return pl.concat(source.read(vip(source), columns, "Email"))
