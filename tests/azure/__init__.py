"""Tests of `shared.azure`."""
