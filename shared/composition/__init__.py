"""The app put together: every adapter made once an instance, and handed to each step."""
