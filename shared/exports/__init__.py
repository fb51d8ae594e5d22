"""Connections and exports as their owners configure them, and who changed what."""
