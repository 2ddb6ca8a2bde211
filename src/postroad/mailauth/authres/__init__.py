"""Authentication-Results: how our verdicts are written, and those of others read (RFC 8601)."""
