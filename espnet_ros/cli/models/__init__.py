"""The command ``models``."""
