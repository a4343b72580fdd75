"""Measurements of a trained system: exposure bias, and the cost of a search."""
