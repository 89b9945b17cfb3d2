"""The command ``power``."""
