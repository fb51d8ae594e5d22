"""The domain without a network."""
