"""A ROS for the test that runs the demo."""

from ros_harness import ros, ros_domain  # noqa: F401  (fixtures)
