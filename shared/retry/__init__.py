"""When what did not work is tried again."""
