"""Benchmarks: ratios taken in one run, beside what a user would pick instead."""
