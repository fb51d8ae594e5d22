"""Calls over HTTP to systems that are not Azure: one deadline a call, pooled connections, the webhook."""
