"""SMTP, as a server and as a client (RFC 5321)."""
