"""Rewrites of a graph, one a file; a runtime chooses those that suit it."""
