"""Autopilot: its calls, what its answers mean, its fields, and how its lists are filled."""
