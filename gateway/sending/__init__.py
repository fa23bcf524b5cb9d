"""Sending: how fast, how many at once, and when not at all."""
