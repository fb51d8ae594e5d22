"""Tests of `shared.accounts`."""
