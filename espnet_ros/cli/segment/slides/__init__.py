"""Pictures too large for memory: segmented by tiles, alone or in strips."""
