"""detection: from pixels to possible kilns, and from them to sites; no torch, no pages."""
