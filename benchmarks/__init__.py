"""Measures index, decoding, scoring and mining beside plain references: ``make bench``."""
