"""geodata.sources: where pixels come from; one service per module."""
