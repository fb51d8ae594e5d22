"""Tests of `shared.sources`."""
