"""From label masks to metres: where a robot can drive, how far, and what stands where."""
