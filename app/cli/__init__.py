"""app.cli: the command `kilnlight`, one thin module a command."""
