"""Coverage-guided fuzzing of the parsers: `make fuzz TARGET=answers SECONDS=60`."""
