"""Telling clients unasked what happens (RFC 5465)."""
