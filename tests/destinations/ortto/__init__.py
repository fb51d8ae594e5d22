"""Ortto behind the destination port."""
