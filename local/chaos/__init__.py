"""Chaos: real processes, killed, paused and disturbed by a seeded schedule, and what must hold afterwards."""
