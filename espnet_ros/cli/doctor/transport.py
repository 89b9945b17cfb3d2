"""Checks of the middleware, and of what it needs for large images between two processes."""

from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import socket

from espnet_ros.cli.doctor.check import Check, Status

DEFAULT_MIDDLEWARE = 'rmw_fastrtps_cpp'
PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
CYCLONE_URI = 'CYCLONEDDS_URI'
SHARED_MEMORY = Path('/dev/shm')
RECEIVE_BUFFER = Path('/proc/sys/net/core/rmem_max')
ROUTER = ('127.0.0.1', 7447)
_LEAST_SHARED_BYTES = 256 << 20
_LEAST_BUFFER_BYTES = 4 << 20  # Linux doubles it
_TOPIC = 'large images'


def check_transport() -> list[Check]:
    """Tell which middleware is in use, and whether large images pass between two processes."""
    if find_spec('rclpy') is None:
        return []
    chosen = os.environ.get('RMW_IMPLEMENTATION')
    middleware = chosen or DEFAULT_MIDDLEWARE
    how = 'RMW_IMPLEMENTATION' if chosen else 'the default'
    checks = [Check('middleware', Status.OK, f'{middleware} ({how})')]
    if 'fastrtps' in middleware:
        checks += [_check_profile(), *_check_shared_memory()]
    elif 'zenoh' in middleware:
        checks += [_check_router(), _check_zenoh_memory(), *_check_shared_memory()]
    elif 'cyclonedds' in middleware:
        checks.append(_check_receive_buffer())
    else:
        found = f'what {middleware} needs is not known here'
        checks.append(Check(_TOPIC, Status.WARN, found, 'see docs/middleware.md'))
    return checks


def _check_profile() -> Check:
    for variable in PROFILES:
        path = os.environ.get(variable)
        if path and Path(path).is_file():
            return Check(_TOPIC, Status.OK, f'{variable}={path}')
        if path:
            found = f'{variable}={path}: no such file'
            return Check(_TOPIC, Status.WARN, found, f'correct or unset {variable}')
    found = f'{PROFILES[0]} is not set: Fast DDS loses large images between processes'
    fix = (
        'ros2 launch espnet_ros segment.launch.py sets it; for other nodes export '
        f'{PROFILES[0]}=.../share/espnet_ros/config/fastdds.xml'
    )
    return Check(_TOPIC, Status.WARN, found, fix)


def _check_router() -> Check:
    try:
        socket.create_connection(ROUTER, timeout=1.0).close()
    except OSError:
        found = f'no Zenoh router at {ROUTER[0]}:{ROUTER[1]}: nodes do not find each other'
        return Check('router', Status.WARN, found, 'ros2 run rmw_zenoh_cpp rmw_zenohd')
    return Check('router', Status.OK, f'Zenoh router at {ROUTER[0]}:{ROUTER[1]}')


def _check_zenoh_memory() -> Check:
    if 'shared_memory/enabled=true' in os.environ.get('ZENOH_CONFIG_OVERRIDE', ''):
        return Check(_TOPIC, Status.OK, 'through shared memory (ZENOH_CONFIG_OVERRIDE)')
    found = (
        'they arrive, but are copied through a socket: shared memory is off in Zenoh by default'
    )
    setting = "export ZENOH_CONFIG_OVERRIDE='transport/shared_memory/enabled=true'"
    return Check(_TOPIC, Status.WARN, found, f'{setting}, for every node and the router')


def _check_receive_buffer() -> Check:
    try:
        size = int(RECEIVE_BUFFER.read_text())
    except (OSError, ValueError):
        return Check(_TOPIC, Status.WARN, f'{RECEIVE_BUFFER} cannot be read')
    found = f'receive buffers of up to {size / 1e6:.1f} MB (net.core.rmem_max)'
    if size < _LEAST_BUFFER_BYTES:
        fix = 'sudo sysctl -w net.core.rmem_max=2147483647, and in /etc/sysctl.d to keep it'
        return Check(_TOPIC, Status.WARN, f'{found}: fragments of an image are lost', fix)
    if uri := os.environ.get(CYCLONE_URI):
        return Check(_TOPIC, Status.OK, f'{found}; {CYCLONE_URI}={uri}')
    found = f'{CYCLONE_URI} is not set: Cyclone DDS uses 1 MB of {found}'
    fix = (
        'ros2 launch espnet_ros segment.launch.py sets it; for other nodes export '
        f'{CYCLONE_URI}=file://.../share/espnet_ros/config/cyclonedds.xml'
    )
    return Check(_TOPIC, Status.WARN, found, fix)


def _check_shared_memory() -> list[Check]:
    if not SHARED_MEMORY.is_dir():
        return []
    usage = shutil.disk_usage(SHARED_MEMORY)
    small = usage.total < _LEAST_SHARED_BYTES
    return [
        Check(
            'shared memory',
            Status.WARN if small else Status.OK,
            f'/dev/shm of {usage.total / 1e6:.0f} MB, {usage.free / 1e6:.0f} MB free',
            'run the container with --shm-size=512m or --ipc=host' if small else '',
        )
    ]
