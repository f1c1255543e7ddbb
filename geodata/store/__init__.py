"""geodata.store: sites, tiles, marks and reviews as data in one SQLite file."""
