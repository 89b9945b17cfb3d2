"""What the camera source node is made of."""
