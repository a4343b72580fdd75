"""Floor 1: an FM-index over integer tokens, memory-mapped. Knows no text and no model."""
