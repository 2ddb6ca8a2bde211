"""The settings file: where things are, not what they are."""
