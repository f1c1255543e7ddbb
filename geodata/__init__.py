"""geodata: imagery, grids, outlines, tables and the store; knows nothing of models or pages."""
