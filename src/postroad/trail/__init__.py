"""The trail: what was decided about each message, by whom, on what evidence."""
