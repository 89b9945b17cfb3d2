"""How the node is doing: rates, stage times, failures, and what they mean, without ROS."""
