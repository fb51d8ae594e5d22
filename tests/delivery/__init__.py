"""Tests of `shared.delivery`."""
