"""
A stand-in for TensorRT and for CUDA's runtime, of any generation, on machines without a GPU.

Names come from ``api.json``, which lists the attributes of NVIDIA's Python bindings at the tags
8.6.1, 10.3.0, 10.16 and 11.1. Behaviour comes from the facts in the project's TensorRT
reference; the sections are named where they are used ("section 3.3"). It refuses what the real
one refuses, and computes real labels: an engine runs its ONNX with ONNX Runtime, on the memory
whose addresses it was given, and only when its stream is synchronised.
"""
