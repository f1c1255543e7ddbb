"""detection.evaluate.report: an evaluation as one page that opens anywhere, and the same figures as JSON."""
