"""HTTP: metrics and health today."""
