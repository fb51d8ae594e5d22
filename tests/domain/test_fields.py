"""Autopilot's fields and the conversion of a segment's text."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.fields import FieldName, FieldType, convert, field_type


@pytest.mark.parametrize(
    "name", ["Email", "MailingPostalCode", "unsubscribed", "string--Loyalty--Tier", "date--Joined"]
)
def test_exact_names_and_typed_custom_names_are_fields(name: str) -> None:
    assert TypeAdapter(FieldName).validate_python(name) == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("email", "did you mean 'Email'"),
        ("first_name", "did you mean 'FirstName'"),
        ("Unsubscribed", "did you mean 'unsubscribed'"),
        ("Loyalty", "custom fields are written as"),
        ("text--Loyalty", "custom fields are written as"),
        ("string--", "custom fields are written as"),
        ("contact_id", "custom fields are written as"),
    ],
)
def test_any_other_name_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        TypeAdapter(FieldName).validate_python(name)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "Zoë", "Zoë"),
        ("integer", "42", 42),
        ("integer", "8888.0", 8888),
        ("integer", "-7", -7),
        ("integer", "1.5", None),
        ("integer", "many", None),
        ("integer", "99999999999999999999", None),
        ("float", "12.50", 12.5),
        ("float", "1e3", 1000.0),
        ("float", "nan", None),
        ("float", "1,5", None),
        ("boolean", "TRUE", True),
        ("boolean", "no", False),
        ("boolean", "perhaps", None),
        ("date", "9/3/2014", "2014-09-03T00:00:00.000Z"),
        ("date", "05/25/2014 1:02:03 PM", "2014-05-25T13:02:03.000Z"),
        ("date", "2014-05-25", "2014-05-25T00:00:00.000Z"),
        ("date", "2014-05-25T00:00:00.000Z", "2014-05-25T00:00:00.000Z"),
        ("date", "2014-05-25T01:02:03+02:00", "2014-05-24T23:02:03.000Z"),
        ("date", "25/5/2014", None),
        ("date", "soon", None),
    ],
)
def test_text_becomes_a_value_of_the_fields_type(kind: FieldType, text: str, value: object) -> None:
    assert pl.select(convert(pl.lit(text), kind)).item() == value


def test_every_standard_field_is_text_but_unsubscribed() -> None:
    assert field_type("NumberOfEmployees") == "string"
    assert field_type("unsubscribed") == "boolean"
    assert field_type("integer--Points") == "integer"
