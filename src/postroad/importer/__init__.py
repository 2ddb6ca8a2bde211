"""Accounts as files: mbox, Maildir and eml, out and in."""
