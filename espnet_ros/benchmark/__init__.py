"""What is measured and what was found, in plain records; nothing here knows ROS."""
