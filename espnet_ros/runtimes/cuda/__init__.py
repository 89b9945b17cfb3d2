"""CUDA's memory, streams and graphs, with neither torch nor pycuda."""
