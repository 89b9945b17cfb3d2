"""
The live view: a page that shows in a browser what is segmented, how fast and how well.

:class:`~espnet_ros.web.live_view.LiveView` holds the newest of everything, whoever brings it: a
node, or the command line without ROS. :class:`~espnet_ros.web.server.WebServer` shows it.
"""
