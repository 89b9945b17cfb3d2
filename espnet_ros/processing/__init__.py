"""Image processing before and after the network; numpy and OpenCV only."""
