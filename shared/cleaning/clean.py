"""From a segment's rows to contacts: only the mapped columns, in one spelling, converted, with a normalised address.

A value that its field cannot take costs that value: it is left out, counted and named (or its contact is rejected, if
the export says so, or if it says whether they may be mailed). A row that cannot become a contact keeps its place with a reason, so that the counts add up and its
owner can correct it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from shared.cleaning.addresses import normalised
from shared.cleaning.advice import hints_for_addresses
from shared.cleaning.contact import Values, compose, optional_fields
from shared.cleaning.dates import is_no_date
from shared.cleaning.fields import Fields
from shared.cleaning.notation import Notations
from shared.cleaning.text import in_one_spelling, is_placeholder, normalised_keys, with_placeholders
from shared.cleaning.typed import texts_of, typed_columns
from shared.reasons.rows import RowReason
from shared.sources.source import KEY, MALFORMED, ROW, DateOrder

OnBadValue = Literal["omit", "reject"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one export turns rows into contacts.

    `mapping` goes from a field of the destination to a column; `fields` knows the fields. `clear_empty` says that an empty
    value shall erase the destination's, `on_bad_value` what a value costs that its field cannot take, `resubscribe` that a
    permission is also given, not only taken back, and `date_order` how all dates are written whose day and month could be
    either.
    """

    mapping: Mapping[str, str]
    fields: Fields
    clear_empty: bool = False
    on_bad_value: OnBadValue = "omit"
    resubscribe: bool = False
    date_order: DateOrder | None = None

    @property
    def columns(self) -> list[str]:
        """The columns to read: the mapped ones, each once."""
        return list(dict.fromkeys(self.mapping.values()))

    @property
    def cleared(self) -> frozenset[str]:
        """The fields that an empty value erases: never a permission, which nobody gave by leaving a cell empty."""
        permission = self.fields.permission
        kept = {self.fields.address, *([permission.field] if permission else [])}
        return frozenset(self.mapping) - kept if self.clear_empty else frozenset()

    def costs_contact(self, field: str) -> bool:
        """Return whether a value that the field cannot take costs the whole contact.

        One of the permission always does: it may mean that the person wants no mail.
        """
        permission = self.fields.permission
        return self.on_bad_value == "reject" or (permission is not None and field == permission.field)

    @property
    def address(self) -> str:
        """The column of e-mail addresses."""
        return self.mapping[self.fields.address]


OMITTED: Final = pl.Schema({"row": pl.UInt64(), "customer": pl.String(), "field": pl.String(), "hint": pl.String()})
"""Columns of values that are left out."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A batch as contacts.

    `contacts` has, row for row: `row`, `customer`, `email` (null unless valid), `fields` (the contact's JSON as it
    would be sent; null if rejected), `reason` (a RowReason or null), `field` (the destination's fields at fault, or null)
    and `hint` (a Hint or null). `omitted` has the columns of OMITTED, a row each value that is left out of a contact.
    `placeholders` counts by field what means "no value" in words.
    """

    contacts: pl.DataFrame
    omitted: pl.DataFrame
    placeholders: Mapping[str, int]


def clean(batch: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Turn all rows of a table into contacts; returns `Cleaned.contacts`."""
    notations = Notations(recipe.date_order)
    cleaned = clean_batch(batch, recipe, notations)
    return (cleaned if notations.settle() else clean_batch(batch, recipe, notations)).contacts


def clean_batch(batch: pl.DataFrame, recipe: Recipe, notations: Notations) -> Cleaned:
    """Turn a batch of rows into contacts.

    Takes what `Source.read` returns for the recipe's columns, and what is known of how columns are written, which it
    learns from.
    """
    fields = optional_fields(recipe.mapping, recipe.fields)
    columns = _Columns.of(batch, recipe)
    values = [_values(name, recipe, columns, notations) for name in fields]
    cells, addresses = columns.texts[recipe.address], normalised(columns.addresses)
    if recipe.address in columns.doubtful:
        cells = cells.set(is_placeholder(cells), None)
    bad = [found for found in values if found.bad is not None]
    costly = [found for found in bad if recipe.costs_contact(found.name)]
    judged = _judged(batch, cells, addresses, _guilty(costly, batch.height))
    contacts = judged.select(
        "row",
        "customer",
        pl.when(~pl.col("malformed")).then("email").alias("email"),
        pl.when(pl.col("reason").is_null()).then(compose(addresses, values, recipe.fields)).alias("fields"),
        "reason",
        pl.when(pl.col("reason").is_in([RowReason.EMAIL_MISSING.value, RowReason.EMAIL_INVALID.value]))
        .then(pl.lit(recipe.fields.address))
        .when(pl.col("reason") == RowReason.VALUE_NOT_CONVERTIBLE.value)
        .then("guilty")
        .alias("field"),
    )
    hints = _hints(contacts["reason"], cells, costly, recipe.fields)
    omitted = [found for found in bad if not recipe.costs_contact(found.name)]
    return Cleaned(
        contacts.with_columns(hints.alias("hint")),
        _omitted(contacts, omitted, recipe.fields),
        {found.name: found.placeholders for found in values if found.placeholders},
    )


def _judged(batch: pl.DataFrame, cells: pl.Series, addresses: pl.Series, guilty: pl.Series) -> pl.DataFrame:
    """Return each row with the reason why it cannot be delivered, or null; `guilty` names fields that cost it its contact."""
    return pl.DataFrame(
        {
            "row": batch[ROW],
            "malformed": batch[MALFORMED],
            "customer": normalised_keys(batch[KEY]),
            "text": cells,
            "email": addresses,
            "guilty": guilty,
        }
    ).with_columns(
        pl.when("malformed")
        .then(pl.lit(RowReason.ROW_MALFORMED.value))
        .when(pl.col("text").is_null())
        .then(pl.lit(RowReason.EMAIL_MISSING.value))
        .when(pl.col("email").is_null())
        .then(pl.lit(RowReason.EMAIL_INVALID.value))
        .when(pl.col("guilty").is_not_null())
        .then(pl.lit(RowReason.VALUE_NOT_CONVERTIBLE.value))
        .alias("reason"),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """A batch's mapped columns: texts in one spelling, and what the source types itself.

    `addresses` is the column of addresses as it was read, `bare` names those of which JSON escapes nothing, `doubtful`
    those in which a text stands for "no value".
    """

    texts: pl.DataFrame
    typed: pl.DataFrame
    addresses: pl.Series
    bare: Collection[str]
    doubtful: Collection[str]

    @classmethod
    def of(cls, batch: pl.DataFrame, recipe: Recipe) -> _Columns:
        """Take the columns of a batch; what stands in a malformed row is nobody's and shows nothing."""
        cells = batch.select(recipe.columns)
        if any(kind != pl.String for kind in cells.dtypes):
            cells = typed_columns(cells, [recipe.address])
        if batch[MALFORMED].any():
            cells = cells.select(pl.when(~batch[MALFORMED]).then(pl.all()))
        spelled = in_one_spelling(cells.select(pl.col(pl.String)))
        return cls(
            texts=spelled.texts,
            typed=cells.select(pl.exclude(pl.String)),
            addresses=cells[recipe.address],
            bare=spelled.bare,
            doubtful=with_placeholders(spelled.texts),
        )


def _values(name: str, recipe: Recipe, columns: _Columns, notations: Notations) -> Values:
    """Read a column as the values of a field."""
    column = recipe.mapping[name]
    is_typed = column in columns.typed.columns
    cells = columns.typed[column] if is_typed else columns.texts[column]
    if is_typed:
        known, values, absent = cells, recipe.fields.convert_typed(name, cells), 0
    else:
        known, values, absent = _read(name, cells, recipe, notations, is_doubtful=column in columns.doubtful)
    bad = None if values is known else known.is_not_null() & values.is_null()
    if bad is not None and not bad.any():
        bad = None
    permission = recipe.fields.permission
    if permission and name == permission.field and not recipe.resubscribe:
        taken_back = (values == permission.taken_back).fill_null(value=False)
        values = values.zip_with(taken_back, pl.Series([None], dtype=pl.Boolean))
    return Values(
        name,
        values,
        texts_of(known) if is_typed and bad is not None else known,
        bad=bad,
        empty=cells.is_null() if name in recipe.cleared else None,
        placeholders=absent,
        is_bare=recipe.fields.type_of(name) == "date" or is_typed or column in columns.bare,
    )


def _read(
    name: str, texts: pl.Series, recipe: Recipe, notations: Notations, *, is_doubtful: bool
) -> tuple[pl.Series, pl.Series, int]:
    """Read texts as the values of a field; return those that are known, their values, and how many are none in words.

    What stands for "no value" is none for a field of numbers, flags or dates; it is never taken for an empty value,
    which might erase what the destination has. A text field takes it as it is: a surname may well be Null.
    """
    kind, absent = recipe.fields.type_of(name), None
    if is_doubtful:
        absent = is_placeholder(texts)
    if kind == "date" and (none := is_no_date(texts)).any():
        absent = none if absent is None else absent | none
    known = texts if absent is None or kind == "string" else texts.set(absent, None)
    values = recipe.fields.convert(name, known, recipe.mapping[name], notations)
    return known, values, 0 if absent is None else int(absent.sum())


def _nothing(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, height)


def _guilty(bad: Sequence[Values], height: int) -> pl.Series:
    """Name each row's fields whose values cannot be read, all of them."""
    if not bad:
        return _nothing(height)
    names = [pl.when(found.bad).then(pl.lit(found.name)) for found in bad if found.bad is not None]
    named = pl.select(pl.concat_str(*names, separator=", ", ignore_nulls=True)).to_series()
    return named.zip_with(named != "", _nothing(1))


def _hints(reasons: pl.Series, cells: pl.Series, bad: Sequence[Values], fields: Fields) -> pl.Series:
    """Return what the first bad value of each rejected row looks like, where that is known."""
    hints = _nothing(len(reasons))
    invalid = (reasons == RowReason.EMAIL_INVALID.value).fill_null(value=False).arg_true()
    if len(invalid):
        hints = hints.scatter(invalid, hints_for_addresses(cells.gather(invalid)))
    unconverted = (reasons == RowReason.VALUE_NOT_CONVERTIBLE.value).fill_null(value=False)
    if unconverted.any():
        for found in reversed(bad):
            places = (unconverted & found.bad).arg_true()
            hints = hints.scatter(places, fields.hints(found.name, found.texts.gather(places)))
    return hints


def _omitted(contacts: pl.DataFrame, bad: Sequence[Values], fields: Fields) -> pl.DataFrame:
    """List the values that are left out of contacts."""
    deliverable = contacts["fields"].is_not_null()
    lists = [pl.DataFrame(schema=OMITTED)]
    for found in bad:
        places = (deliverable & found.bad).arg_true()
        hints = fields.hints(found.name, found.texts.gather(places))
        named = contacts.select("row", "customer").select(pl.all().gather(places))
        lists.append(named.with_columns(pl.lit(found.name).alias("field"), hints.alias("hint")).cast(OMITTED))
    return pl.concat(lists).sort("row", maintain_order=True) if len(lists) > 1 else lists[0]
