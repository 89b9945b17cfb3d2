"""
How others segment the same images with the same network, for side by side measurements.

Each is written from what its authors describe. Nothing of the product uses them.
"""
