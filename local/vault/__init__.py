"""A Key Vault endpoint for one machine, that the real SecretClient talks to."""
