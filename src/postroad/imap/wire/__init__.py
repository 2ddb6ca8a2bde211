"""The bytes of IMAP: a core without I/O, commands as values, responses as bytes."""
