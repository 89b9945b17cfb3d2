"""What belongs to the same image: masks, calibrations, label sets and poses, by stamp."""
