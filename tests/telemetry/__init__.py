"""Tests of `shared.telemetry`."""
