"""Rank losses, samplers and the stage-2 objective: tensors in, tensors out."""
