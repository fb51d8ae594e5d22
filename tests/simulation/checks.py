"""What must hold once all is quiet, whatever happened before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from shared.azure.storage import Container
from shared.reasons.codes import Reason, Status
from shared.runs.files import load_state, state_path
from shared.runs.head import Head
from shared.runs.run import Run
from tests.simulation.play import DIGESTS, Play
from tests.simulation.world import CONNECTION, EXPORT, WORLDS

IDLE: Final = frozenset({Reason.NOTHING_TO_DO, Reason.ROWS_REJECTED, Reason.LISTS_EQUAL})
"""How a run ends that had nothing to do."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A play once all is quiet, with what its ledger says, read once."""

    play: Play
    head: Head
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, play: Play) -> Quiet:
        """Look at a play."""
        return cls(play, play.head(), tuple(play.audience.ledger.runs(EXPORT, most=1000)))


def violations(play: Play) -> list[str]:
    """Return what is wrong: first as it stands, then after one more run, then after a run that has nothing to do."""
    wrong = [*play.watch.wrong, *_standing(Quiet.of(play)), *play.errors, *_broken(play)]
    play.calm = True
    if play.world.at_last:
        play.again(*play.world.at_last)
    written = _run_once_more(play)
    after = Quiet.of(play)
    wrong += [f"after one more run: {what}" for what in [*_standing(after), *_wanted(after)]]
    if not written and after.runs[0].reason in IDLE:  # then this was the idle run
        return wrong
    wrong += [f"an idle run writes: {call}" for call in _run_once_more(play)]
    newest = play.audience.ledger.runs(EXPORT)[0]
    if newest.reason not in IDLE:
        wrong.append(f"an idle run ends {newest.status} {newest.reason}")
    return wrong


def _run_once_more(play: Play) -> list[str]:
    """Have the owner start one more run, and return the calls by which it changed something."""
    before = len(play.autopilot.writes)
    play.again("start", "rest")
    return [call for call in play.autopilot.writes[before:] if "poison" not in call]


def _standing(quiet: Quiet) -> Iterator[str]:
    yield from _ended(quiet)
    yield from _books(quiet)
    yield from _erased(quiet)
    yield from _left_lying(quiet)


def _erased(quiet: Quiet) -> Iterator[str]:
    """Look for people who asked to be erased, and whose addresses are still kept somewhere."""
    people = set(quiet.play.audience.tombstones.people())
    for contact in quiet.play.autopilot.account.contacts.values():
        if _person(contact.email or "") in people:
            yield f"{contact.email} was erased, and is still a contact"
    for name in quiet.play.cloud.blobs.get(Container.ERASURES, {}):
        yield f"left lying: {Container.ERASURES}/{name}"


def _broken(play: Play) -> Iterator[str]:
    """Name failures that no fault explains: a client that is played wrongly, or code that is wrong."""
    for failure in play.host.failures:
        if failure.rpartition(" ")[2] in {"AttributeError", "KeyError", "NotImplementedError", "TypeError", "Lost"}:
            yield f"a function failed: {failure}"
    if not play.stage.faults and play.host.failures:
        yield f"functions failed though nothing was wrong: {play.host.failures[:3]}"


def _ended(quiet: Quiet) -> Iterator[str]:
    head = quiet.head
    if head.active or head.pending_follow_up:
        yield f"not ended: {head}"
    for run in quiet.runs:
        if not run.status.is_final:
            yield f"run {run.id} has not ended: {run.status}"
        if not run.counts.add_up:
            yield f"run {run.id} ({run.trigger}, {run.status}, {run.reason}) does not add up: {run.counts}"
        if run.reason is Reason.INTERNAL_ERROR:
            yield f"run {run.id} ended with internal_error"


def _books(quiet: Quiet) -> Iterator[str]:
    """Compare what the destination holds with what the state says."""
    play, head = quiet.play, quiet.head
    run_id = head.states.get(CONNECTION)
    state = load_state(play.audience.storage, EXPORT, CONNECTION, run_id)
    account = play.autopilot.account
    people = {row["person"]: row for row in state.people.iter_rows(named=True)}
    names = {_person(contact.email or ""): contact for contact in account.contacts.values()}
    for list_id, title in account.titles.items():
        bit = 1 << state.lists.index(list_id) if list_id in state.lists else 0
        on = {person for person, contact in names.items() if list_id in contact.lists}
        said = {person for person, row in people.items() if row["lists"] & bit}
        maybe = {person for person, row in people.items() if row["attempted"] & bit}
        for person in on - said - maybe:
            yield f"{names[person].email} is on {title}, and the state does not know"
        for person in said - on if not (head.lists_suspect or _drifted(quiet)) else ():
            who = names[person].email if person in names else "somebody who is gone"
            yield f"{who} is not on {title}, and the state says so"
    for person, contact in names.items():
        known = people.get(person)
        if (
            known
            and known["content"] is not None
            and known["content"] not in _contents(play.world.name, contact.email or "")
        ):
            continue
        if known and known["content"] is not None:
            held = _contents(play.world.name, contact.email or "")[known["content"]]
            if contact.fields.get("FirstName") != held:
                yield f"{contact.email} is called {contact.fields.get('FirstName')}, and the state says {held}"


def _drifted(quiet: Quiet) -> bool:
    """Whether somebody changed a list by hand, and no verification with repair has come to its end since."""
    before = quiet.play.before_by_hand
    if before is None:
        return False
    return not any(run.verification == "repair" and run.findings and run.id not in before for run in quiet.runs)


@cache
def _person(email: str) -> int:
    return DIGESTS.of_person(email)


@cache
def _contents(world: str, email: str) -> dict[int, str]:
    """Return the first names that a person has in a world, by the digest of the contact that would be sent."""
    found = {names[email] for version in WORLDS[world].versions for names in version.values() if email in names}
    texts = {json.dumps({"Email": email, "FirstName": name}, separators=(",", ":")): name for name in sorted(found)}
    digests = DIGESTS.of_contents(pl.Series(list(texts), dtype=pl.String))
    return dict(zip(digests, texts.values(), strict=True))


def _left_lying(quiet: Quiet) -> Iterator[str]:
    play = quiet.play
    for container in (Container.CHUNKS, Container.OUTCOMES):
        for name in play.cloud.blobs.get(container, {}):
            yield f"left lying: {container}/{name}"
    kept = {state_path(EXPORT, connection, run) for connection, run in quiet.head.states.items()}
    for name in play.cloud.blobs.get(Container.STATE, {}):
        if name not in kept:
            yield f"left lying: state/{name}"
    for _, key in play.cloud.tables["ledger"]:
        if key.startswith("chunk-"):
            yield f"left lying: ledger entry {key}"
    for queue, count in play.host.waiting().items():
        yield f"left lying: {count} messages in {queue}"


def _wanted(quiet: Quiet) -> Iterator[str]:
    """Compare the lists with the segments."""
    play = quiet.play
    account = play.autopilot.account
    erased = play.audience.tombstones.people()
    for title, members in play.source.segments.items():
        wanted = {email for email in members if _person(email) not in erased and "poison" not in email}
        ids = [list_id for list_id, name in account.titles.items() if name == title]
        if len(ids) != 1:
            yield f"{len(ids)} lists are called {title}"
        on = {str(email) for list_id in ids for email in account.emails_of(list_id)}
        for email in sorted(wanted - on):
            yield f"lost: {email} is not on {title}"
        for email in sorted(on - wanted):
            yield f"extra: {email} is on {title}"
    statuses = {run.status for run in quiet.runs[:1]}
    if statuses - {Status.SUCCESSFUL, Status.COMPLETED_WITH_WARNINGS}:
        yield f"it ended {statuses}"
