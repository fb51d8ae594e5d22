"""Why a row was not delivered, or not all of it: stable codes, and a sentence each that tells its owner what to do."""

from __future__ import annotations

from enum import StrEnum


class RowReason(StrEnum):
    """Why a row was not delivered, or was delivered without a value."""

    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    VALUE_NOT_CONVERTIBLE = "value_not_convertible"
    VALUE_OMITTED = "value_omitted"
    ROW_MALFORMED = "row_malformed"
    ERASED = "erased"
    REFUSED = "refused_by_autopilot"
    MISSING_FROM_ANSWER = "missing_from_answer"
    NO_ANSWER = "no_answer"

    @property
    def advice(self) -> str:
        """One sentence: what to do about the row."""
        return _ROW_ADVICE[self]


_ROW_ADVICE = {
    RowReason.EMAIL_MISSING: "Give the profile an e-mail address in its source.",
    RowReason.EMAIL_INVALID: "Correct the e-mail address in its source.",
    RowReason.VALUE_NOT_CONVERTIBLE: "Correct the value, or map the column to a field of a fitting type.",
    RowReason.VALUE_OMITTED: "The contact was delivered without this value. Correct it, or map the column to a field of a fitting type.",
    RowReason.ROW_MALFORMED: "The row has too few or too many fields, quotes that make no sense, bytes that are not UTF-8, or a value of more than 65,536 characters. Run the Blob export again.",
    RowReason.ERASED: "This person asked to be erased. Take the profile out of Customer Insights' sources too.",
    RowReason.REFUSED: "The account refused this contact. Look at its values; the next run tries again.",
    RowReason.MISSING_FROM_ANSWER: "The destination left this contact out of its answer. The next run tries again.",
    RowReason.NO_ANSWER: "The destination gave no answer to what was asked for this contact, however often. The next run tries again.",
}


class Hint(StrEnum):
    """What a value that cannot be read looks like, where that says better what to do."""

    SEVERAL_ADDRESSES = "several_addresses"
    DATE = "date"
    DATE_ORDER = "date_order"
    TWO_DIGIT_YEAR = "two_digit_year"
    YEAR = "year"
    DAY_NUMBER = "day_number"
    SECONDS = "seconds"
    FLAG = "flag"
    TOO_LARGE = "too_large"
    FRACTION = "fraction"
    THOUSANDS = "thousands"
    DECIMAL_COMMA = "decimal_comma"
    CURRENCY = "currency"
    PERCENT = "percent"
    PHONE = "phone"
    TYPE_UNKNOWN = "type_unknown"

    @property
    def advice(self) -> str:
        """One sentence: what is wrong with the value and what to do."""
        return _HINTS[self]


_HINTS = {
    Hint.SEVERAL_ADDRESSES: "The cell holds more than one e-mail address. Leave the one that the person reads.",
    Hint.DATE: "This is no date that can be read. Write dates as 1980-12-25.",
    Hint.DATE_ORDER: "Day and month could be either way round, and nothing in the column says which. Write dates as 1980-12-25, or set date_order in the export.",
    Hint.TWO_DIGIT_YEAR: "The year has two digits, so its century is unknown. Write dates as 1980-12-25.",
    Hint.YEAR: "The year is before 1000. Correct the date.",
    Hint.DAY_NUMBER: "This is a number, as a spreadsheet counts days. Format the column as a date before it is saved, as 1980-12-25.",
    Hint.SECONDS: "This is a moment counted in seconds or milliseconds. Write dates as 1980-12-25.",
    Hint.FLAG: "This is neither yes nor no. Write true or false (also yes/no, y/n, on/off, 1/0).",
    Hint.TOO_LARGE: "The number has more digits than a number field keeps. Map the column to a field of text (string--).",
    Hint.FRACTION: "This is no whole number. Map the column to a field of decimals (float--).",
    Hint.THOUSANDS: "Its point or comma may part thousands or decimals, and which of them is not certain here. Write 1234 or 1234.5.",
    Hint.DECIMAL_COMMA: "Decimals have a point and thousands none. Write 1234.5.",
    Hint.CURRENCY: "Take the currency off: a number field holds digits only.",
    Hint.PHONE: "This is not surely one phone number. Write one, with its country's code and without letters or an extension: +44 20 7946 0958.",
    Hint.TYPE_UNKNOWN: "The account has not told yet whether this field holds whole numbers, decimals or amounts. Save the export again while the destination answers, and run it.",
    Hint.PERCENT: "Take the percent sign off: a number field holds digits only.",
}
