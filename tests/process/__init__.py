"""Tests of `shared.process`."""
