"""Hydra finds launchers in packages below ``hydra_plugins``."""
