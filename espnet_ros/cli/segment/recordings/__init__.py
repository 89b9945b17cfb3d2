"""Many recordings: a folder each, by one process or by many."""
