"""geodata.tables: the file formats that the commands exchange, with their schemas."""
