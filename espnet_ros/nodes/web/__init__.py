"""What brings ROS topics to the live view: the free ground, diagnostics, and whole nodes."""
