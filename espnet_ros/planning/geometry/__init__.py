"""Cameras: how pixels look at the ground, and how a camera is mounted."""
