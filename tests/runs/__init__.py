"""Tests of `shared.runs`."""
