"""The command ``segment``."""
