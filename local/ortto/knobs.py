"""The knobs of the Ortto sandbox: how fast, how faulty, and which way it is where nobody knows how Ortto is."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from local.sandbox.knobs import FAULTS
from local.sandbox.lies import LIES

BAN: Final = 15
"""Bad requests in as many seconds that ban a caller, for as many seconds (vendor)."""


class Knobs(BaseModel):
    """Each by its name; the first value of a choice is the default. docs/sandbox.md says what each stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = "sandbox-key"
    account_name: str = "sandbox-instance"
    rate: float | None = None
    burst: int = 10
    latency_ms: float = 0
    jitter_ms: float = 0
    seed: int = 1
    down: bool = False
    record: bool = False
    faults: dict[str, float] = Field(default_factory=dict)
    lies: dict[str, float] = Field(default_factory=dict)
    lies_to: str = ""
    lies_done: float = 0.5
    drip_seconds: float = 600

    wrong_region: bool = False
    wrong_region_answer: Literal["401", "404"] = "401"
    concurrency: int | None = None
    concurrency_answer: Literal["429", "503", "500", "reset"] = "429"
    ban: int | None = BAN
    ban_seconds: float = BAN
    ban_answer: Literal["429", "403", "reset"] = "429"
    mixed_batch: Literal["in_place", "only_accepted", "whole_400", "details"] = "in_place"
    answer_order: Literal["request", "shuffled"] = "request"
    too_many: Literal["400", "413", "truncate"] = "400"
    permission_on_update: Literal["kept", "resubscribes"] = "kept"
    tag_filter: Literal["u4s_is", "unknown_operation", "empty"] = "u4s_is"
    tags_in_get_by_ids: Literal["both", "ids_only", "none"] = "both"
    filter_lag_ms: float = 0
    count_lag_ms: float = 0
    async_lag_ms: float = 0
    async_answer: Literal["queued", "queued_with_id"] = "queued"
    tag_case: Literal["sensitive", "insensitive", "trims"] = "sensitive"
    email_case: Literal["folds", "exact"] = "folds"
    by_id_gone: Literal["invalid", "skipped", "creates", "400"] = "invalid"
    skipped_status: Literal["skipped", "ignored", "absent", "400_if_all"] = "skipped"
    strategy3_tags: Literal["ignored", "applied"] = "ignored"
    long_value: Literal["invalid", "cut", "stored"] = "invalid"
    geo_normalises: bool = False
    delete_scheduled: int = 0
    contact_limit: int | None = None
    over_limit: Literal["accepted", "507", "403"] = "accepted"
    error_shape: Literal["recorded", "rate_object", "html", "empty"] = "recorded"
    poison: str = "poison"

    @field_validator("faults")
    @classmethod
    def _known_faults(cls, faults: dict[str, float]) -> dict[str, float]:
        return _known(faults, FAULTS)

    @field_validator("lies")
    @classmethod
    def _known_lies(cls, lies: dict[str, float]) -> dict[str, float]:
        return _known(lies, LIES)

    def turned(self, changes: dict[str, Any]) -> Knobs:
        """Return the knobs with some of them turned; raise ValueError for one that there is not, or no such value of it."""
        try:
            return Knobs.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            wrong = ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))
            raise ValueError(f"no such knob, or no such value: {wrong}") from None


def _known(chances: dict[str, float], names: Any) -> dict[str, float]:
    if strange := set(chances) - set(names):
        raise ValueError(f"there is no {sorted(strange)}")
    return chances
