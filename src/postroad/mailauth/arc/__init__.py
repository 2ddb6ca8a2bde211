"""Authenticated Received Chain: what earlier servers found, sealed by each of them (RFC 8617)."""
