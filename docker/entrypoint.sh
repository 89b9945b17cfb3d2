#!/bin/bash
# Launches the segmentation with the arguments of "docker run", or runs the program that they name.
set -e
# shellcheck disable=SC1090
. "/opt/ros/$ROS_DISTRO/setup.bash"
# shellcheck disable=SC1091
. /ws/install/setup.bash
case ${1:-} in
  '' | *:=*) exec ros2 launch espnet_ros segment.launch.py "$@" ;;
  *) exec "$@" ;;
esac
