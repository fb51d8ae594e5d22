"""Tests of `shared.destinations.autopilot`."""
