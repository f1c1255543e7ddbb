"""training: from scenes and labels to a model bundle; the only package that imports torch."""
