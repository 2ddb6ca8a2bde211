"""Where mail is kept: an index in SQL, bodies in packs."""
