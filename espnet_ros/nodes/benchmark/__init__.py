"""Measures the real nodes over topics: camera, nodes and observer in processes of their own."""
