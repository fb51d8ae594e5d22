"""Tests of `shared.reasons`."""
