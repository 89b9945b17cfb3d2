"""The transport of large images: which Fast DDS profile applies, and by which variable."""

from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import sys

PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
"""What names a profile: since Kilted, and before. Later releases warn of the older name,
earlier ones do not know the newer one."""

KILTED_RCLPY = 9


def profile_variable() -> str:
    """Return the variable that the installed ROS 2 reads."""
    major = int(metadata.version('rclpy').partition('.')[0])
    return PROFILE_VARIABLES[0 if major >= KILTED_RCLPY else 1]


def user_has_profile() -> bool:
    """Tell whether the environment names a profile already."""
    return any(os.environ.get(name) for name in PROFILE_VARIABLES)


def set_transport() -> None:
    """
    Use the profile for large images, in this process and in its children.

    A profile that the user has stays. It must be called before ROS is initialised.
    """
    if user_has_profile():
        return
    for root in (Path(__file__).parents[3], Path(sys.prefix) / 'share' / 'espnet_ros'):
        profile = root / 'config' / 'fastdds.xml'
        if profile.is_file():
            os.environ[profile_variable()] = str(profile)
            return
