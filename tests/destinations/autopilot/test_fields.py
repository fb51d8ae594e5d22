"""Autopilot's fields: their names and types."""

from __future__ import annotations

import pytest

from shared.destinations.autopilot.fields import FIELDS, field_type


@pytest.mark.parametrize(
    "name", ["Email", "MailingPostalCode", "unsubscribed", "string--Loyalty--Tier", "date--Joined"]
)
def test_exact_names_and_typed_custom_names_are_fields(name: str) -> None:
    FIELDS.check(name)


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
    with pytest.raises(ValueError, match=hint):
        FIELDS.check(name)


def test_every_standard_field_is_text_but_unsubscribed() -> None:
    assert field_type("NumberOfEmployees") == "string"
    assert field_type("unsubscribed") == "boolean"
    assert field_type("integer--Points") == "integer"
