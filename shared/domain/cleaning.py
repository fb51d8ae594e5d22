"""From a segment's rows to contacts: only the mapped columns, trimmed, converted, with a normalised address.

A row that cannot become a contact keeps its place with a reason, so that the counts add up and its owner can mend it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from shared.domain.addresses import normalised
from shared.domain.fields import convert, field_type, is_custom
from shared.reasons import RowReason

CUSTOMER_ID: Final = "CustomerId"

ROW: Final = "\0row"
MALFORMED: Final = "\0malformed"
WHERE: Final = "\0where"
"""The reader's own columns; no column of the source bears such a name, so that one may well be called `row`."""

_EMAIL: Final = "Email"

_ESCAPED: Final = r'["\\\x00-\x1f]'
"""What JSON escapes; text without any of it stands in JSON as it is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one export turns rows into contacts.

    `mapping` goes from Autopilot field to column; `clear_empty` says that an empty value shall erase Autopilot's.
    """

    mapping: Mapping[str, str]
    clear_empty: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns to read: the mapped ones and the customer's id, which names a rejected row."""
        return list(dict.fromkeys([CUSTOMER_ID, *self.mapping.values()]))


def clean(batch: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Turn a batch of rows into contacts.

    Takes the reader's columns ROW, MALFORMED and the recipe's own (String). Gives, row for row: `row`, `customer`,
    `email` (null unless valid), `fields` (the contact's JSON as it would be sent; null if rejected), `reason`
    (a RowReason or null) and `field` (the Autopilot field at fault, or null).
    """
    optional = [name for name in sorted(recipe.mapping) if name != _EMAIL]
    text = {name: pl.col(column).str.strip_chars().replace("", None) for name, column in recipe.mapping.items()}
    # Columns are numbered here: a field may bear any name, `row` among them.
    values = batch.select(
        pl.col(ROW).alias("row"),
        pl.col(MALFORMED).alias("malformed"),
        pl.col(CUSTOMER_ID).alias("customer")
        if CUSTOMER_ID in batch.columns
        else pl.lit(None, pl.String).alias("customer"),
        text[_EMAIL].alias("text"),
        *[text[name].alias(f"text{n}") for n, name in enumerate(optional)],
    ).with_columns(
        normalised(batch.select(text[_EMAIL]).to_series()).alias("email"),
        *[convert(pl.col(f"text{n}"), field_type(name)).alias(f"value{n}") for n, name in enumerate(optional)],
    )
    guilty = pl.coalesce(
        *[
            pl.when(pl.col(f"text{n}").is_not_null() & pl.col(f"value{n}").is_null()).then(pl.lit(name))
            for n, name in enumerate(optional)
            if field_type(name) != "string"  # any text is one
        ],
        pl.lit(None, pl.String),
    )
    judged = values.with_columns(guilty.alias("guilty")).with_columns(
        pl.when("malformed")
        .then(pl.lit(RowReason.ROW_MALFORMED.value))
        .when(pl.col("text").is_null())
        .then(pl.lit(RowReason.EMAIL_MISSING.value))
        .when(pl.col("email").is_null())
        .then(pl.lit(RowReason.EMAIL_INVALID.value))
        .when(pl.col("guilty").is_not_null())
        .then(pl.lit(RowReason.VALUE_NOT_CONVERTIBLE.value))
        .alias("reason")
    )
    return judged.select(
        "row",
        "customer",
        pl.when(~pl.col("malformed")).then("email").alias("email"),
        pl.when(pl.col("reason").is_null()).then(_contact(values, optional, recipe)).alias("fields"),
        "reason",
        pl.when(pl.col("reason").is_in([RowReason.EMAIL_MISSING.value, RowReason.EMAIL_INVALID.value]))
        .then(pl.lit(_EMAIL))
        .when(pl.col("reason") == RowReason.VALUE_NOT_CONVERTIBLE.value)
        .then("guilty")
        .alias("field"),
    )


def _contact(values: pl.DataFrame, optional: list[str], recipe: Recipe) -> pl.Expr:
    """Compose the contact's JSON, fields in a fixed order, custom ones under `custom` (vendor, 2015).

    Null clears a field at Autopilot (vendor's documents, quoted 2017), so an empty value is left out unless the export
    asks for it.
    """
    pairs = {name: _pair(name, values[f"value{n}"], recipe.clear_empty) for n, name in enumerate(optional)}
    parts = [_pair(_EMAIL, values["email"], recipe.clear_empty)]
    parts += [pair for name, pair in pairs.items() if not is_custom(name)]
    custom = [pair for name, pair in pairs.items() if is_custom(name)]
    if custom:
        some = pl.any_horizontal(pair.is_not_null() for pair in custom)
        parts.append(pl.when(some).then(pl.lit('"custom":') + _object(custom)))
    return _object(parts)


def _pair(name: str, values: pl.Series, keep_null: bool) -> pl.Expr:
    """Encode `"name":value` as JSON, or null for a null value that is not to be kept."""
    label = json.dumps(name, ensure_ascii=False) + ":"
    value = pl.col(values.name)
    match values.dtype:
        case pl.Int64 | pl.Boolean:
            text = pl.concat_str(pl.lit(label), value.cast(pl.String))
        case pl.String if not values.str.contains(_ESCAPED).any():
            text = pl.concat_str(pl.lit(label + '"'), value, pl.lit('"'))
        case _:
            encoded = pl.struct(value.alias("")).struct.json_encode().str.strip_prefix('{"":').str.strip_suffix("}")
            text = pl.when(value.is_not_null()).then(pl.concat_str(pl.lit(label), encoded))
    return text.fill_null(label + "null") if keep_null else text


def _object(pairs: list[pl.Expr]) -> pl.Expr:
    return pl.concat_str(pl.lit("{"), pl.concat_str(*pairs, separator=",", ignore_nulls=True), pl.lit("}"))
