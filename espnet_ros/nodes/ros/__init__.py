"""What all nodes share: topics, messages, parameters, threads, processes."""
