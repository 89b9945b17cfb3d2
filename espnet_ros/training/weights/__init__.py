"""Weights of trainings: written and read, carried over, averaged."""
