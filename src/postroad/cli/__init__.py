"""The command line: one file per noun, noun then verb."""
