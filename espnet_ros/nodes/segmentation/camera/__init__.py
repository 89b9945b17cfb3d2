"""One camera of the node: what comes in from it, and what goes out for it."""
