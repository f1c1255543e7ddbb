"""app.services: the use-cases that commands and pages call."""
