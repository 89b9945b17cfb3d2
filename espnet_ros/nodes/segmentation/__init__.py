"""What the segmentation node is made of."""
