"""What the launch file decides, without ``launch``: which processes run, and with what."""
