"""Stage times and rates."""
