"""Connections and exports as their owners configure them: the types behind the API's bodies and the stored documents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.exports.schedule import check_cron
from shared.exports.titles import alike

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
VAULT_PATTERN: Final = r"^[0-9a-zA-Z-]{1,127}$"

MAX_UNREAD_PERCENT: Final = 0.1
"""Rows of a hundred that may be unreadable before nobody leaves a segment, unless the export says otherwise."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A connection's or an export's name, as it stands in paths."""

DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=512)]
"""A field of a contact, as its destination names it: which there are depends on the kind of the export's connection."""

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""A kind of destination, as it is registered."""

NewPeople = Literal["subscribed", "not_subscribed"]
"""Whether those whom an export creates may be mailed."""

ListStrategy = Literal["auto", "bulk", "single"]


class Model(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Consent(Model):
    """Who agreed to the transfer of personal data to the destination, when, and to which version of the text."""

    by: str
    at: datetime
    text_version: str


class Connection(Model):
    """A named, reusable link to one account of a destination. Its key is in Key Vault, never here."""

    display_name: DisplayName
    kind: Kind = "autopilot"
    region: str | None = None
    secret_name: str
    access: Literal["administrators", "administrators_and_contributors"] = "administrators"
    rate_limit: float = Field(default=20, ge=0.1, le=10_000)
    calls_in_flight: int | None = Field(default=None, ge=1, le=32)
    list_strategy: ListStrategy = "auto"
    consent: Consent
    account: str | None = None
    created_at: datetime
    updated_at: datetime
    updated_by: str

    def connected(self, account: str | None, secret_name: str) -> Connection:
        """Return the connection with the account that its key opens, as it tells itself, and the secret that holds the key."""
        return self.model_copy(update={"account": account, "secret_name": secret_name})


class SegmentTarget(Model):
    """A segment of an export, and the title of the list it becomes."""

    segment: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    list: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        """Read a bare name as a segment whose list bears the segment's own name."""
        if isinstance(value, str):
            return {"segment": value, "list": value}
        if isinstance(value, dict) and "segment" in value and value.get("list") is None:
            return {**value, "list": value["segment"]}
        return value


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA database, such as Europe/Berlin") from error
    return name


class OnRefresh(Model):
    """Run with every refresh of the segments."""

    on: Literal["refresh"] = "refresh"


class OnCron(Model):
    """Run at the times of a five-field cron expression, in a time zone."""

    on: Literal["cron"]
    cron: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(check_cron)]
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = "UTC"


class Off(Model):
    """Run only when asked."""

    on: Literal["off"]


Schedule = Annotated[OnRefresh | OnCron | Off, Field(discriminator="on")]


class Guards(Model):
    """What a run may not do without being told that it is meant."""

    max_removed_percent: float = Field(default=50, ge=0, le=100)
    allow_empty: bool = False
    max_unread_percent: float = Field(default=MAX_UNREAD_PERCENT, ge=0, le=100)


class VerificationSettings(Model):
    """After how many runs the lists are read back and compared (0: only when asked), and whether that mends them."""

    every: int = Field(default=0, ge=0, le=10_000)
    repair: bool = False


class ExportSettings(Model):
    """What an export's owner decides: the body of PUT /exports/{e}."""

    display_name: DisplayName
    connection: Name | None
    mapping: dict[FieldName, Column] = Field(min_length=1, max_length=200)
    segments: tuple[SegmentTarget, ...] = Field(min_length=1, max_length=64)
    schedule: Schedule = OnRefresh()
    max_profiles: int = Field(default=100_000, ge=1, le=10_000_000)
    leavers: Literal["remove", "keep"] = "remove"
    clear_empty: bool = False
    on_bad_value: Literal["omit", "reject"] = "omit"
    resubscribe: bool = False
    new_people: NewPeople | None = None
    create_suppressed: bool = False
    date_order: Literal["day_first", "month_first"] | None = None
    guards: Guards = Guards()
    verification: VerificationSettings = VerificationSettings()

    @model_validator(mode="after")
    def _coherent(self) -> ExportSettings:
        for what, names in (
            ("segment", [target.segment for target in self.segments]),
            ("list", [target.list for target in self.segments]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"the {what} {twice[0]!r} is named twice")
        return self

    @model_validator(mode="after")
    def _told_apart(self) -> ExportSettings:
        """Refuse lists that nobody could tell apart: at the destination both segments might fill the same one."""
        if both := alike(target.list for target in self.segments):
            raise ValueError(
                f"the lists {both[0]!r} and {both[1]!r} differ only in case or in how a letter is encoded, and may be one "
                "list at the destination; give one of the segments another list"
            )
        return self


class Export(ExportSettings):
    """An export as stored: its owner's settings, and who last touched them."""

    @model_validator(mode="after")
    def _told_apart(self) -> Export:
        """Take what was saved before lists had to be told apart: it is refused when it is saved again."""
        return self

    created_at: datetime
    updated_at: datetime
    updated_by: str

    def detached(self) -> Export:
        """Return the export without its connection."""
        return self.model_copy(update={"connection": None})

    def touched(self, by: str, at: datetime) -> Export:
        """Return the export as somebody changed it just now."""
        return self.model_copy(update={"updated_at": at, "updated_by": by})

    def duplicate(self, display_name: str, by: str, at: datetime) -> Export:
        """Return a new export that is configured like this one, but has no connection: two exports never fill one list."""
        update = {"display_name": display_name, "connection": None, "created_at": at}
        return self.model_copy(update=update).touched(by, at)
