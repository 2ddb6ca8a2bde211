"""pytest fixtures for users of postroad (see `postroad.testing.world`)."""
