"""What a destination's call ended with where it gave no result: one error for each thing that the caller must do.

    DestinationError
    ├── NoAnswer             nothing is known: repeat (every call may be repeated, making a list after a look)
    │   ├── Unclear          the destination may answer so: look whether it is done, instead of asking again
    │   ├── OtherList        a list was made, perhaps ours under another title: look whether it is new
    │   ├── Throttled        too fast: slow down for everyone, then repeat
    │   ├── NotSent          the call was not made, and counts as none
    │   │   └── HeldBack     since the destination would ban us: slow down for everyone, then repeat
    │   └── AccountRefused   the account is refused, as it seems: so it is, once that was said several times in a row
    ├── Refused              this call is at fault: isolate the guilty contact
    │   ├── ContactGone      there is no such contact
    │   └── ListGone         there is no such list
    ├── PermissionsWouldChange   sending contacts would let us mail people who do not want it: send nobody
    └── KeyRefused           no call will do any more
        └── AnotherAccount   the key that there is by now opens another account: nothing is sent there

No error carries a path, a query or a body: all of them can hold an address.
"""

from __future__ import annotations


class DestinationError(Exception):
    """A call gave no result; the text names the kind of call and the status, never a person."""


class NoAnswer(DestinationError):
    """Nothing that is the destination's own: no connection, a time-out, a fault of the server, a proxy's page.

    It proves nothing, is counted nowhere, and is nobody's fault.
    """


class Unclear(NoAnswer):
    """An answer that the destination may really give, but that another may give as well: a look tells whether it is done."""


class OtherList(NoAnswer):
    """A creation was answered with a list of another title: ours in another spelling, or the answer to another call."""

    def __init__(self, text: str, list_id: str) -> None:
        super().__init__(text)
        self.list_id = list_id


class Throttled(NoAnswer):
    """Too many calls, whoever says so. `retry_after` is in seconds, None where the answer names no time."""

    def __init__(self, text: str, retry_after: float | None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class NotSent(NoAnswer):
    """The call was not made: the work has to stop before its turn came."""


class HeldBack(NotSent):
    """The call was not made: a destination keeps a limit of its own that the account's pace does not know.

    `retry_after` is in seconds.
    """

    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class AccountRefused(NoAnswer):
    """The account is not served, such as one that has expired: nobody's contact is at fault. Once alone it says little."""


class Refused(DestinationError):
    """The call itself is at fault; it names nobody unless it is about one contact."""


class ContactGone(Refused):
    """There is no such contact: deleted, or merged into another, since we last saw it."""


class ListGone(Refused):
    """There is no such list."""


class PermissionsWouldChange(DestinationError):
    """The account gives people their permission back when they are only updated."""


class KeyRefused(DestinationError):
    """The key is wrong, or was replaced."""


class AnotherAccount(KeyRefused):
    """The key was replaced by one of another account, or of one that nobody knows."""
