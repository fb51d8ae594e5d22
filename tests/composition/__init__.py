"""Tests of `shared.composition`."""
