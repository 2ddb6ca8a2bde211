"""One file per group of IMAP commands."""
