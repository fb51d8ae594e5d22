"""Starts runs: the timer, the HTTP API, and planning."""

from __future__ import annotations

from export_trigger.api import blueprint as api
from export_trigger.planning import blueprint as planning
from export_trigger.timer import blueprint as timer

blueprints = (api, timer, planning)
