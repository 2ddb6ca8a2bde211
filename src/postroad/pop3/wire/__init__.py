"""POP3 on the wire: commands in, replies and stuffed messages out; no I/O."""
