"""What image files and compressed messages say of themselves, before and beside the decoding."""
