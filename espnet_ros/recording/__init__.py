"""What was seen, as ROS messages in an MCAP file, written without ROS."""
