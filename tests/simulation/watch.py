"""What must hold at every moment: looked at with each transaction of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.reasons.codes import Status


class Watch:
    """Looks at every transaction of the ledger: one run at a time, and what follows a run started once, and not forgotten."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._owed: str | None = None
        self._going: set[str] = set()

    def __call__(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Look at the rows that one transaction wrote."""
        if table != "ledger":
            return
        runs = [row for row in rows if str(row["RowKey"]).startswith("run-")]
        heads = [row for row in rows if row["RowKey"] == "head"]
        for run in runs:
            going = run["status"] in {Status.QUEUED, Status.PROCESSING}
            if going and heads and run["id"] not in self._going:
                self._started(run)
            (self._going.add if going else self._going.discard)(str(run["id"]))
        if len(self._going) > 1:
            self.wrong.append(f"two runs at once: {sorted(self._going)}")
        for head in heads:
            started = any(run["requested_by"] == "schedule" for run in runs if run["id"] in self._going)
            looked = any(run.get("findings_json", "[]") != "[]" for run in runs)
            if self._owed and not head.get("owed") and not started and not looked:
                self.wrong.append(f"a follow-up is lost: {self._owed}")
            self._owed = head.get("owed")

    def _started(self, run: Mapping[str, Any]) -> None:
        if run["requested_by"] == "schedule" and run["trigger"] in {"verify", "repair"} and not self._owed:
            self.wrong.append(f"a follow-up is started twice: {run['trigger']}")
