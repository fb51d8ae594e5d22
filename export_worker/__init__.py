"""Delivers chunks: the queue trigger, and what becomes of a chunk that always fails."""

from __future__ import annotations

from export_worker.delivery import blueprint as delivery

blueprints = (delivery,)
