"""Tests, written as the specification."""
