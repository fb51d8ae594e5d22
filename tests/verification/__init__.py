"""Tests of `shared.verification`."""
