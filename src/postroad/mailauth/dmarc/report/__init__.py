"""Aggregate reports: what a receiver saw of mail that says it is from a domain (RFC 9990)."""
