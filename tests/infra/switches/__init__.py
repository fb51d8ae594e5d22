"""Parameters files, and what they deploy."""
