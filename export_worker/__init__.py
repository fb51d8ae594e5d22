"""Delivers chunks: the queue trigger, what becomes of one that always fails, and notices of runs' ends."""

from __future__ import annotations

from export_worker.delivery import blueprint as delivery
from export_worker.notices import blueprint as notices

blueprints = (delivery, notices)
