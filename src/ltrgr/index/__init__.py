"""An FM-index over integer tokens, memory-mapped. It knows neither text nor models."""
