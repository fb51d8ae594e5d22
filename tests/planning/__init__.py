"""Tests of `shared.planning`."""
