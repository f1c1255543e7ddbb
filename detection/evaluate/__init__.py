"""detection.evaluate: matching and metrics, without torch."""
