"""Message bodies in append-only pack files."""
