"""Whether the lists hold what was delivered."""
