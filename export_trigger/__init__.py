"""Starts runs: the timer, the HTTP API with its console, and planning."""

from __future__ import annotations

from export_trigger.api import blueprint as api
from export_trigger.console import blueprint as console
from export_trigger.planning import blueprint as planning
from export_trigger.timer import blueprint as timer

blueprints = (api, console, timer, planning)
