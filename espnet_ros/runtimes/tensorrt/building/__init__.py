"""Building engines: from a model file to an engine, in a process of its own."""
