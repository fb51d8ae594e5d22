"""An operator's day: each procedure of docs/operate.md, lived through with the commands that the page shows."""
