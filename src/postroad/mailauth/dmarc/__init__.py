"""Whether the domain that a reader sees has answered for a message: DMARC (RFC 9989)."""
