"""From operations to what the destination confirmed: chunks, pace, isolation, retries."""
