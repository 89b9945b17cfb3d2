"""TensorRT engines: made from model files, kept, checked and loaded."""
