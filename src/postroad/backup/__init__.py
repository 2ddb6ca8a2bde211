"""Backups: a snapshot of index and packs in sealed chunks, somewhere else, and the way back."""
