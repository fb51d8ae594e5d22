"""A play: a world on a stage, with workers, timers, and somebody who asks for things."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from export_trigger.http import runs as api
from export_trigger.http.access import Caller, Role
from export_trigger.http.exports import put_export
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.steps.erase import erase
from shared.accounts.accounts import Accounts
from shared.azure.storage import Storage
from shared.azure.tables import Table
from shared.azure.vault import Vault
from shared.composition.app import App
from shared.erasure.requests import Erasures, Progress
from shared.erasure.tombstones import Tombstones
from shared.exports.audit import Audit
from shared.exports.configuration import Connection, Consent, Export, ExportSettings
from shared.exports.registry import Registry
from shared.reasons.errors import TryLater
from shared.runs.head import Head
from shared.runs.ledger import Ledger
from shared.state.digest_key import DIGEST_SECRET
from shared.state.digests import DigestKey
from tests.simulation.autopilot import AutopilotStage, session
from tests.simulation.azure import Blobs, Cloud, Secrets
from tests.simulation.by_hand import by_hand
from tests.simulation.functions import FUNCTIONS, SUPERVISE, TICK
from tests.simulation.host import NO_HOLDER, Host, Queues
from tests.simulation.inside import Inline
from tests.simulation.instance import SETTINGS, StageClock
from tests.simulation.source import Source
from tests.simulation.stage import Actor, Director, Stage, on_stage
from tests.simulation.tables import Tables
from tests.simulation.watch import Watch
from tests.simulation.world import CONNECTION, EXPORT, KEY, World

WORKERS: Final = ("A", "B", "C")


DIGESTS: Final = DigestKey.from_text("00" * 32)


RESTART: Final = 5.0


@dataclass
class Play:
    """A world on stage. `skews` are how far the actors' clocks are off, `workers` how many there are."""

    world: World
    director: Director
    skews: Mapping[str, float] = field(default_factory=dict)
    workers: int = 2
    pick: Callable[[int], int] = lambda count: 0
    commands: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    done: int = 0
    calm: bool = False
    before_by_hand: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self.stage = Stage(self.director)
        self.stage.died, self.stage.app = self._restart, self.app
        self.cloud = Cloud(self.stage)
        self.watch = Watch()
        self.cloud.written.append(self.watch)
        self.autopilot = AutopilotStage(self.stage, self.world.knobs)
        self.host = Host(self.stage, self.cloud, FUNCTIONS)
        self.source = Source(self.cloud, self.world.versions[0])
        self._http = session(self.autopilot)
        self._apps: dict[Actor, App] = {}
        self.version = 0
        self.world_steps: Sequence[str] = self.world.owner
        self._bodies: dict[str, Callable[[], None]] = {
            "owner": self._own,
            "user": self._use,
            "supervision": lambda: self.host.timer("supervision", SUPERVISE, 60),
            "tick": lambda: self.host.timer("tick", TICK, 300),
            **{name: (lambda name=name: self.host.work(name, self.pick)) for name in WORKERS[: self.workers]},  # type: ignore[misc]
        }
        self.audience = self._make_app(0.0)
        self._set_up()
        for name, body in self._bodies.items():
            self.stage.add(name, body, skew=self.skews.get(name, 0.0))

    def app(self) -> App:
        """Return the app of whoever is on stage: one a process, made anew when that has died."""
        here = on_stage()
        if here is None:
            return self.audience
        actor = here[1]
        if actor not in self._apps:
            self._apps[actor] = self._make_app(actor.skew)
        return self._apps[actor]

    def actor(self, name: str) -> Actor:
        """Return the living actor of this name."""
        return next(actor for actor in self.stage.living if actor.name == name)

    def head(self) -> Head:
        """Look at the export's head."""
        return self.audience.ledger.head(EXPORT)

    @property
    def rests(self) -> bool:
        """Whether no run is going, and none is to follow."""
        found = self.cloud.tables["ledger"].get((EXPORT, "head"))
        return found is None or not (found.get("active") or found.get("owed"))

    @property
    def is_erasing(self) -> bool:
        """Whether an erasure is not over yet: the tick takes it up again, at the latest after an hour."""
        rows = self.cloud.tables["erased"]
        return any(row["progress"] == Progress.OPEN for (partition, _), row in rows.items() if partition == "requests")

    @property
    def is_quiet(self) -> bool:
        """Whether everything is done that somebody will do: supervision and the tick have looked at it as it is."""
        if (
            not self.rests
            or self.is_erasing
            or self.host.waiting()
            or self.commands
            or self.stage.now < max(self.cloud.down.values(), default=0)
        ):
            self._seen = None
            return False
        if any(not actor.idle for actor in self.stage.living) or any(a.name == "owner" for a in self.stage.living):
            self._seen = None
            return False
        ticks = self.host.ticks
        looked = (ticks.get("supervision", 0), ticks.get("tick", 0))
        if self._seen is None:
            self._seen = looked
        return self.calm or (looked[0] > self._seen[0] and looked[1] > self._seen[1])

    _seen: tuple[int, int] | None = None

    def again(self, *steps: str) -> None:
        """Have the owner do more, and play on until all is quiet."""
        self.world_steps = steps
        self.done = 0
        self._seen = None
        self.stage.play(self.stage.add("owner", self._own))

    def _set_up(self) -> None:
        self.cloud.secrets.update({"key": KEY, DIGEST_SECRET: DIGESTS.to_text()})
        now = self.cloud.moment()
        registry = self.audience.registry
        registry.save_connection(
            CONNECTION,
            Connection(
                display_name="Main",
                secret_name="key",
                rate_limit=1000,
                consent=Consent(by="owner", at=now, text_version="1"),
                created_at=now,
                updated_at=now,
                updated_by="owner",
            ),
        )
        self._settings = {
            "display_name": "Export",
            "connection": CONNECTION,
            "mapping": {"Email": "Email", "FirstName": "FirstName"},
            "segments": list(self.world.versions[0]),
            "guards": {"max_removed_percent": 100},
            **self.world.settings,
        }
        stamps = {"created_at": now, "updated_at": now, "updated_by": "owner"}
        registry.save_export(EXPORT, Export.model_validate({**self._settings, **stamps}))
        seen = self.source.catalogue().version
        self.audience.ledger.change_head(EXPORT, lambda head: head.refresh_seen(seen))  # as who saves an export does

    def _make_app(self, skew: float) -> App:
        clock = StageClock(self.stage, skew)
        tables = cast("Any", Tables(self.cloud))
        storage = Storage(cast("Any", Blobs(self.cloud)), cast("Any", Queues(self.host)))
        return App(
            settings=SETTINGS,
            storage=storage,
            ledger=Ledger(Table(tables, "ledger")),
            registry=Registry(storage),
            accounts=Accounts(Table(tables, "accounts"), clock),
            tombstones=Tombstones(Table(tables, "erased")),
            erasures=Erasures(Table(tables, "erased"), storage),
            audit=Audit(Table(tables, "audit")),
            vault=Vault(cast("Any", Secrets(self.cloud))),
            source=self.source,
            clock=clock,
            pool=cast("Any", Inline()),
            http=self._http,
        )

    def _restart(self, dead: Actor) -> None:
        """Have somebody take the place of an actor that died: timers only once another process holds them."""
        after = NO_HOLDER if dead.name in {"supervision", "tick"} else RESTART
        self.stage.add(dead.name, self._bodies.get(dead.name, self._own), skew=dead.skew, after=after)

    def _own(self) -> None:
        """Be the owner: one step after the other; a step whose process died is asked for again."""
        while self.done < len(self.world_steps):
            step = self.world_steps[self.done]
            if step == "rest":
                self.stage.wait(lambda: 0.0 if self.rests else math.inf, idle=True)
                self.stage.sleep(1)
            else:
                while not self._ask(step):
                    self.stage.sleep(20)
            self.done += 1

    def _use(self) -> None:
        """Be somebody who asks for things at any moment."""
        while True:
            self.stage.wait(lambda: 0.0 if self.commands else math.inf, idle=True)
            self._ask(self.commands.pop(0))

    def _ask(self, command: str) -> bool:
        """Ask for something; False if it has to be asked for again, since it failed or another run is going."""
        self.stage.note(f"asked: {command}")
        faults = self.stage.faults
        try:
            self._do(command)
        except (Problem, TryLater) as answer:
            self.stage.note(f"answered: {answer}")
            return command == "start"
        except Exception as error:  # noqa: BLE001 - the API would answer 500
            self.stage.note(f"answered: {type(error).__name__}: {error}")
            if self.stage.faults == faults:
                self.errors.append(f"{command!r} was answered {type(error).__name__} though nothing was down")
            return False
        return True

    def _do(self, command: str) -> None:
        verb, _, rest = command.partition(" ")
        match verb:
            case "refresh":
                self.change_segments()
                self.stage.wait(lambda: 0.0 if self._taken_up else math.inf, idle=True)
            case "erase":
                if erase(self.app(), f"{rest}@example.com").progress is Progress.INCOMPLETE:
                    raise TryLater(0, "incomplete: whoever reads that asks again")
            case "take":
                self._by_hand(rest)
            case "set":
                settings = ExportSettings.model_validate({**self._settings, **json.loads(rest)})
                self._call(put_export, body=settings.model_dump_json().encode())
            case _:
                self._ask_api(verb)

    def _ask_api(self, verb: str) -> None:
        active = self.head().active
        newest = self.audience.ledger.runs(EXPORT, most=1)
        match verb:
            case "start":
                self._call(api.post_run)
            case "verify":
                self._call(api.post_verify)
            case "repair":
                self._call(api.post_verify, repair="true")
            case "rerun" if newest:
                self._call(api.post_rerun, run=newest[0].id)
            case "cancel" if active:
                self._call(api.cancel, run=active)

    def change_segments(self) -> None:
        """Refresh the source: the next version of the segments."""
        self.version += 1
        self.source.refresh(self.world.versions[min(self.version, len(self.world.versions) - 1)])

    @property
    def _taken_up(self) -> bool:
        found = self.cloud.tables["ledger"].get((EXPORT, "head"))
        return found is not None and found.get("refresh") == f'"v{self.source.version}"'

    def _call(self, endpoint: Callable[[App, Call], Answer], run: str = "", body: bytes = b"", **query: str) -> None:
        params, headers = {"export": EXPORT, "run": run}, {"content-type": "application/json"}
        endpoint(self.app(), Call(params=params, query=query, headers=headers, body=body, caller=_CALLER))

    def _by_hand(self, text: str) -> None:
        rows = self.cloud.tables["ledger"].values()
        self.before_by_hand = frozenset(str(row["id"]) for row in rows if "id" in row)
        by_hand(self.autopilot.account, text)


_CALLER: Final = Caller("somebody", Role.ADMIN)
