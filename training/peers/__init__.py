"""training.peers: detectors that others built, on the same data, to be compared with; research code."""
