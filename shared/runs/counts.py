"""What a run came to in numbers: rows, memberships and calls; and what reading a list back showed."""

from __future__ import annotations

from shared.azure.records import Record


class Counts(Record):
    """What a run came to. `rows_read` = delivered + unchanged + duplicates + rejected + suppressed + undelivered; none is ever negative."""

    rows_read: int = 0
    """Rows that the segments held."""

    profiles: int = 0
    """Distinct addresses in them."""

    duplicates: int = 0
    """Rows whose address another row already brought."""

    joiners: int = 0
    """Memberships to be added."""

    changed: int = 0
    """Profiles with new values."""

    leavers: int = 0
    """Memberships to be removed."""

    unchanged: int = 0
    """Rows of which nothing has to be sent."""

    delivered: int = 0
    """Rows that the destination confirmed."""

    rejected: int = 0
    """Rows that cannot be delivered as they are."""

    suppressed: int = 0
    """Rows whose address is on the destination's suppression list: not sent again until their values change."""

    removed: int = 0
    """Leavers whose membership was removed."""

    held_back: int = 0
    """Leavers not removed, because too much of their segment could not be read."""

    kept: int = 0
    """Members that stay because their row has no valid address."""

    undelivered: int = 0
    """Rows that were planned, but the run ended first."""

    values_omitted: int = 0
    """Values that contacts go without, because their field cannot take them."""

    requests: int = 0
    """Calls made to the destination."""

    throttled: int = 0
    """Calls that were answered 429."""

    retried: int = 0
    """Calls that were made again."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: count + getattr(other, name) for name, count in self})

    @property
    def calls(self) -> Counts:
        """The calls alone."""
        return Counts(requests=self.requests, throttled=self.throttled, retried=self.retried)

    @property
    def are_sound(self) -> bool:
        """Whether no count is negative."""
        return all(getattr(self, name) >= 0 for name in Counts.model_fields)

    @property
    def unaccounted(self) -> int:
        """Rows that were read and that no other count accounts for; negative if some were counted twice."""
        unsent = self.unchanged + self.duplicates + self.rejected + self.suppressed + self.undelivered
        return self.rows_read - (self.delivered + unsent)

    @property
    def add_up(self) -> bool:
        """Whether every row that was read is accounted for, once."""
        return self.unaccounted == 0

    def closed(self) -> Counts:
        """Return the counts with the rows that nobody accounts for, such as those of a lost chunk, as undelivered."""
        return self + Counts(undelivered=max(0, self.unaccounted))


class Findings(Record):
    """What reading one list back showed, in members."""

    list: str
    """The list's title."""

    exists: bool
    """Whether the list is still there."""

    expected: int = 0
    """Members that we know to be delivered."""

    found: int = 0
    """Members on the list."""

    missing: int = 0
    """Expected and not on the list."""

    extra: int = 0
    """On the list and not ours."""

    drifted: int = 0
    """On the list with other values, or under another id, than we delivered."""

    @property
    def is_equal(self) -> bool:
        """Whether the list holds exactly what we delivered."""
        return self.exists and not (self.missing or self.extra or self.drifted)
