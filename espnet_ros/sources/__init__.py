"""Cameras for machines without one."""
