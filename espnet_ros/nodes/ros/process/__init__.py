"""A node as a process: its threads, its memory, its end."""
