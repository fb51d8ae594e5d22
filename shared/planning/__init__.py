"""From segments to operations: what changed since the last delivery."""
