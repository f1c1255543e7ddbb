"""geodata.sources.sentinelhub: Sentinel-2 from a Sentinel Hub service, one COG an acquisition."""
