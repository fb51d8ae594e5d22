"""The app's functions as the host calls them: those of the queues by queue, and the timers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from azure.functions.queue import QueueMessage


def _of(module: str, name: str) -> Callable[[Any], None]:
    """Return what was decorated; a package's own names are its blueprints."""
    found: Callable[[Any], None] = getattr(import_module(module), name)._function.get_user_function()
    return found


FUNCTIONS: Final[Mapping[str, Callable[[QueueMessage], None]]] = {
    "export-runs": _of("export_trigger.planning", "plan_run"),
    "export-runs-poison": _of("export_trigger.planning", "end_poisoned_run"),
    "export-chunks": _of("export_worker.delivery", "deliver_chunk"),
    "export-chunks-poison": _of("export_worker.delivery", "record_poisoned_chunk"),
    "export-notices": _of("export_worker.notices", "notify"),
    "export-notices-poison": _of("export_worker.notices", "drop_notice"),
}

TICK: Final = _of("export_trigger.timer", "tick")
SUPERVISE: Final = _of("export_trigger.timer", "supervise")
