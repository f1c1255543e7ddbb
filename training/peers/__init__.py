"""training.peers: detectors that others built, trained on the same data, to be compared with; research code."""
