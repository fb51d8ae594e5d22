"""A local Functions host on Microsoft's own Python runtime for Functions: HTTP, storage queues and timers."""
