"""The steps of a run, each safe to repeat: start, record, finish, verify, follow up, and what keeps it alive."""
