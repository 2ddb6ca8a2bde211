"""Messages as offsets into the bytes that came (RFC 5322, RFC 2045 to 2049)."""
