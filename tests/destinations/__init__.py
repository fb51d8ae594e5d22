"""Tests of `shared.destinations`."""
