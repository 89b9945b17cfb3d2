"""The power and the state of NVIDIA Jetson boards."""
