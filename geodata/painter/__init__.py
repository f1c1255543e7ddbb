"""geodata.painter: paints made-up scenes for the demo and the tests."""
