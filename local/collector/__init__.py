"""An OTLP/HTTP collector for one machine: it keeps what the app really exports, and shows it."""
