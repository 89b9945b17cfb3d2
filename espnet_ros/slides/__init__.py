"""Pictures too large for memory, as slides of pathology: read, segmented, written by tiles."""
