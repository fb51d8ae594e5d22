"""A run: its record, its transitions, the ledger that keeps it, and its files."""
