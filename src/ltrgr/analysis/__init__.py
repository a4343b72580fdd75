"""What a trained system does, measured."""
