"""The local stack's own parts."""
