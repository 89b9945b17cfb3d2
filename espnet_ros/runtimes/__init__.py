"""Runtimes: what computes a model file, one module for each inference library."""
