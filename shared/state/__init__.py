"""What a destination confirmed to hold, by keyed digests: the base for the next difference."""
