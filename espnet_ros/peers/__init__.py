"""
How others segment the same images with the same network, for side by side measurements.

Each way is written anew from what its authors describe. Nothing of the product uses them.
"""
