"""Putting messages in order and in threads, from columns, a little at a time (RFC 5256)."""
