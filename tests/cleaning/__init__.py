"""Tests of `shared.cleaning`."""
