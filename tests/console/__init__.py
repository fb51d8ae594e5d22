"""The console: its pure functions, and what it has to know of the app."""
