"""app: the command line, the map and the labelling page."""
