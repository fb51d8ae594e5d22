"""What a process has one of, however many threads it has."""
