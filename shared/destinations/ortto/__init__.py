"""Ortto: Autopilot's successor."""
