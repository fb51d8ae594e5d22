"""Why a run ended as it did, and what it waits for: stable codes, and a sentence each that tells the user what to do."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Status of a run, in Customer Insights' own words."""

    QUEUED = "Queued"
    PROCESSING = "Processing"
    SUCCESSFUL = "Successful"
    COMPLETED_WITH_WARNINGS = "Completed with warnings"
    FAILED = "Failed"
    CANCELED = "Canceled"
    SKIPPED = "Skipped"

    @property
    def is_final(self) -> bool:
        """Whether a run in this status has ended."""
        return self not in {Status.QUEUED, Status.PROCESSING}


class Reason(StrEnum):
    """Why a run ended, or why it could not start. The codes are a contract with users and their tools."""

    KEY_REFUSED = "key_refused"
    KEY_MISSING = "key_missing"
    CONNECTION_DETACHED = "connection_detached"
    ACCOUNT_CHANGED = "account_changed"
    LIST_IN_USE = "list_in_use"
    DIGEST_KEY_MISSING = "digest_key_missing"
    DIGEST_KEY_WRONG = "digest_key_wrong"
    DOCUMENT_DAMAGED = "document_damaged"
    NEWER_VERSION = "newer_version"
    SOURCE_UNREACHABLE = "source_unreachable"
    SOURCE_MALFORMED = "source_malformed"
    SOURCE_NOT_SETTLED = "source_not_settled"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_NOT_ELIGIBLE = "segment_not_eligible"
    COLUMN_MISSING = "column_missing"
    EMAIL_COLUMN_MISSING = "email_column_missing"
    OVER_LIMIT = "over_limit"
    EMPTY_SEGMENT = "empty_segment"
    MASS_REMOVAL = "mass_removal"
    NOTHING_TO_DO = "nothing_to_do"
    NOTHING_DELIVERED = "nothing_delivered"
    LISTS_EQUAL = "lists_equal"
    LISTS_DIFFER = "lists_differ"
    ROWS_REJECTED = "rows_rejected"
    VALUES_OMITTED = "values_omitted"
    REMOVALS_HELD_BACK = "removals_held_back"
    AUTOPILOT_UNAVAILABLE = "autopilot_unavailable"
    AUTOPILOT_REFUSED = "autopilot_refused"
    PERMISSIONS_WOULD_CHANGE = "permissions_would_change"
    FIELD_UNKNOWN = "field_unknown"
    CANCELED_BY_USER = "canceled_by_user"
    RUN_IN_PROGRESS = "run_in_progress"
    STATE_LOST = "state_lost"
    CHUNK_DAMAGED = "chunk_damaged"
    BOOKS_DO_NOT_CLOSE = "books_do_not_close"
    INTERNAL_ERROR = "internal_error"

    @property
    def status(self) -> Status:
        """The status in which a run with this reason ends."""
        return _STATUS.get(self, Status.FAILED)

    @property
    def advice(self) -> str:
        """What happened and what to do."""
        return _ADVICE[self]

    def advice_after(self, detail: str) -> str:
        """Return the advice behind a run's own detail, which may have said with numbers what happened."""
        if not detail:
            return self.advice
        rest = self.advice.partition(". ")[2] if self in _TOLD_WITH_NUMBERS else self.advice
        return f"{detail} {rest}"


_STATUS = {
    Reason.OVER_LIMIT: Status.SKIPPED,
    Reason.EMPTY_SEGMENT: Status.SKIPPED,
    Reason.MASS_REMOVAL: Status.SKIPPED,
    Reason.SOURCE_NOT_SETTLED: Status.SKIPPED,
    Reason.CONNECTION_DETACHED: Status.SKIPPED,
    Reason.RUN_IN_PROGRESS: Status.SKIPPED,
    Reason.NOTHING_TO_DO: Status.SUCCESSFUL,
    Reason.NOTHING_DELIVERED: Status.SKIPPED,
    Reason.LISTS_EQUAL: Status.SUCCESSFUL,
    Reason.LISTS_DIFFER: Status.COMPLETED_WITH_WARNINGS,
    Reason.ROWS_REJECTED: Status.COMPLETED_WITH_WARNINGS,
    Reason.VALUES_OMITTED: Status.COMPLETED_WITH_WARNINGS,
    Reason.REMOVALS_HELD_BACK: Status.COMPLETED_WITH_WARNINGS,
    Reason.CANCELED_BY_USER: Status.CANCELED,
}

_TOLD_WITH_NUMBERS = {Reason.OVER_LIMIT, Reason.EMPTY_SEGMENT, Reason.MASS_REMOVAL}
"""Reasons whose detail says what the first sentence of their advice says."""

_ADVICE = {
    Reason.KEY_REFUSED: "The account refused the API key. Put the account's current key into the connection, then run again.",
    Reason.KEY_MISSING: "The connection's API key cannot be read from Key Vault. Store it again, or give the app the role Key Vault Secrets User.",
    Reason.CONNECTION_DETACHED: "The export has no connection. Attach one, then run again.",
    Reason.ACCOUNT_CHANGED: "The connection leads to another account than when the run began. Nothing more was sent; run again if the new account is meant.",
    Reason.LIST_IN_USE: "Another export fills a list of this one. Nothing was sent; give the segment another list, or put both segments into one export.",
    Reason.DIGEST_KEY_MISSING: "The key that everything kept was digested with is gone, so nobody would be recognised, not even people who were erased. Nothing runs; recover the deleted secret segment-export-digest-key in Key Vault.",
    Reason.DIGEST_KEY_WRONG: "The key in Key Vault is not the one that everything kept was digested with, so nobody would be recognised, not even people who were erased. Nothing runs; restore the former version of the secret segment-export-digest-key.",
    Reason.DOCUMENT_DAMAGED: "A stored document cannot be read. Save it again with PUT, or remove it with DELETE.",
    Reason.NEWER_VERSION: "Something that is stored was written by a newer version of the app, and cannot be read safely. Nothing was sent; install the newer version again.",
    Reason.SOURCE_UNREACHABLE: "Customer Insights' storage could not be read. Check CUSTOMER_INSIGHTS_PATH, the role Storage Blob Data Reader on its container, and the account's firewall.",
    Reason.SOURCE_MALFORMED: "Customer Insights' files could not be understood. Run the Blob export in Customer Insights again, then run this export again.",
    Reason.SOURCE_NOT_SETTLED: "Customer Insights was still writing. Nothing was sent; the next tick tries again.",
    Reason.SEGMENT_MISSING: "A segment of this export is no longer in Customer Insights' output. Restore it there, or take it out of the export.",
    Reason.SEGMENT_NOT_ELIGIBLE: "A segment of this export is not a table of customer profiles. Take it out of the export.",
    Reason.COLUMN_MISSING: "A mapped column is not in the segment, or not in one of its files. Correct the mapping, or run the Blob export again if the column should be there.",
    Reason.EMAIL_COLUMN_MISSING: "The column mapped to Email is not in the segment, or not in one of its files. Map Email to a column that holds e-mail addresses, or run the Blob export again if the column should be there.",
    Reason.OVER_LIMIT: "The segments hold more profiles than the export allows. Nothing was sent; raise max_profiles or make the segments smaller.",
    Reason.EMPTY_SEGMENT: "A segment is empty. Nothing was sent or removed; set guards.allow_empty if it is meant to be.",
    Reason.MASS_REMOVAL: "More members would be removed than the guard allows. Nothing was sent; raise guards.max_removed_percent if it is meant.",
    Reason.NOTHING_TO_DO: "The account already holds what the segments say. Nothing was sent.",
    Reason.NOTHING_DELIVERED: "This export has delivered nothing on its connection yet, so there is nothing to compare. Run it first.",
    Reason.LISTS_EQUAL: "Everything was read back: the account holds exactly what was delivered.",
    Reason.LISTS_DIFFER: "What was read back is not what was delivered; extra members were put there by others and stay.",
    Reason.ROWS_REJECTED: "Everything else was delivered. The rejected rows are in the run's rejected-rows file, each with its reason.",
    Reason.VALUES_OMITTED: "Every contact was delivered, but values that their field cannot take were left out: the contact keeps what it had. They are named in the run's rejected-rows file, each with what to do.",
    Reason.REMOVALS_HELD_BACK: "Everything else was delivered. Too many rows of a segment could not be read to know who left it: run the Blob export again, and look at the rejected-rows file; guards.max_unread_percent says how many are too many.",
    Reason.AUTOPILOT_UNAVAILABLE: "The destination could not be reached for too long. What was delivered stays recorded; run again when it is back.",
    Reason.AUTOPILOT_REFUSED: "The account refused a request that is not about one contact. Check the account's plan and status, then run again.",
    Reason.FIELD_UNKNOWN: "The account no longer has the field that the export maps, and refuses everybody for it. Save the export again: that names the field.",
    Reason.PERMISSIONS_WOULD_CHANGE: "The account subscribes people again who unsubscribed, when they are only updated. It was tried on one person, who was unsubscribed again; nobody else was touched. Ask Ortto's support to change that, then store the connection's key again, which has it tried anew.",
    Reason.CANCELED_BY_USER: "The run was canceled. What was delivered stays recorded; the next run sends the rest.",
    Reason.RUN_IN_PROGRESS: "Another run of this export is going. Wait for it or cancel it.",
    Reason.STATE_LOST: "The record of what was delivered before is missing or damaged in the app's storage. Restore it from a backup; or delete the export and save it again, then the next run delivers everybody again and takes nobody off.",
    Reason.CHUNK_DAMAGED: "A chunk of this run was deleted or altered in the app's storage before it was delivered. What was delivered stays recorded; run again, and see who else writes to that storage.",
    Reason.BOOKS_DO_NOT_CLOSE: "What was planned and what was done do not add up, so something was lost on the way. What was delivered stays recorded; verify with repair, and report the run's id if it comes again.",
    Reason.INTERNAL_ERROR: "The run met a fault of this app. Nothing is lost; run again, and report it with the run's id if it stays.",
}


class WaitsFor(StrEnum):
    """What a run waits for, as users see it."""

    PACE = "pace"
    """The account's pace is taken, or the destination asked to slow down until then."""

    AUTOPILOT = "autopilot"
    KEY_VAULT = "key_vault"
    SOURCE = "source"
