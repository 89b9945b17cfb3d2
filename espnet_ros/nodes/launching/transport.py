"""The transport of large images: which file the middleware is to read, and by which variable."""

from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import sys

FAST_DDS_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
"""What names a profile: since Kilted, and before. Later releases warn of the older name,
earlier ones do not know the newer one."""

CYCLONE_DDS_VARIABLE = 'CYCLONEDDS_URI'
KILTED_RCLPY = 9


def fast_dds_variable() -> str:
    """Return the variable that Fast DDS of the installed ROS 2 reads."""
    major = int(metadata.version('rclpy').partition('.')[0])
    return FAST_DDS_VARIABLES[0 if major >= KILTED_RCLPY else 1]


def transport_setting(config: Path) -> tuple[str, str] | None:
    """
    Return the variable that makes large images arrive, and its value: a file of ours.

    :param config: the folder of the files
    :return: None where the user has set one, or the middleware in use reads none
    """
    middleware = os.environ.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'
    if 'fastrtps' in middleware and not any(map(os.environ.get, FAST_DDS_VARIABLES)):
        return fast_dds_variable(), str(config / 'fastdds.xml')
    if 'cyclonedds' in middleware and not os.environ.get(CYCLONE_DDS_VARIABLE):
        path = (config / 'cyclonedds.xml').resolve()
        # Cyclone DDS takes the rest as it is, and a comma for the end of the first file.
        return None if ',' in str(path) else (CYCLONE_DDS_VARIABLE, f'file://{path}')
    return None


def set_transport() -> None:
    """
    Use the file for large images, in this process and in its children.

    One that the user has stays. It must be called before ROS is initialised.
    """
    for root in (Path(__file__).parents[3], Path(sys.prefix) / 'share' / 'espnet_ros'):
        if (root / 'config' / 'fastdds.xml').is_file():
            setting = transport_setting(root / 'config')
            if setting is not None:
                os.environ[setting[0]] = setting[1]
            return
