"""Ray, started for one run, quiet and for this machine alone; or a cluster that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
import importlib
import logging
import os
from pathlib import Path
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.fleet import ray_reaper
from espnet_ros.fleet.settings import FleetSettings
import platformdirs

_ALWAYS = {
    'RAY_USAGE_STATS_ENABLED': '0',
    'RAY_USAGE_STATS_PROMPT_ENABLED': '0',
    'RAY_DISABLE_IMPORT_WARNING': '1',
    'RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO': '0',
}

_ON_ONE_MACHINE = {
    # By its name for other systems; without it Ray takes 127.0.0.1 for "find my address".
    'RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER': '0',
    'RAY_AUTH_MODE': 'token',
    'RAY_enable_metrics_collection': '0',
}

_OBJECT_STORE_BYTES = 80 << 20
"""The least that Ray takes; only settings and reports go through it."""

_SOCKET_PATH = 107 - 66
"""Length that the folder may have: Linux takes 107 letters, and Ray adds so many."""

_SESSION = re.compile(r'session_[\d-]+_[\d-]+_\d+_(\d+)')

_JETSON = Path('/etc/nv_tegra_release')


@contextmanager
def opened_ray(settings: FleetSettings) -> Iterator[Any]:
    """
    Return Ray, connected to a cluster of its own or to the one that is named.

    :raises RuntimeUnavailableError: the cluster does not answer, or has not what a job needs
    :raises ModuleNotFoundError: Ray is not installed
    """
    wanted = _ALWAYS | ({} if settings.address else _ON_ONE_MACHINE)
    before = {name: os.environ.get(name) for name in (*wanted, 'RAY_AUTH_TOKEN')}
    os.environ |= {name: value for name, value in wanted.items() if before[name] is None}
    if not settings.address and 'RAY_AUTH_MODE' in wanted and before['RAY_AUTH_MODE'] is None:
        os.environ['RAY_AUTH_TOKEN'] = secrets.token_hex(32)
    try:
        ray = importlib.import_module('ray')
        _silence(importlib.import_module('ray._private.worker'))
        with _own_signals():
            session = _connect(ray, settings)
        with nullcontext() if session is None else _reaped(session):
            try:
                _check_room(ray, settings)
                yield ray
            finally:
                with _own_signals():
                    ray.shutdown()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _silence(module: Any) -> None:
    """Keep Ray from writing of dead processes among the results; we tell what that led to."""
    if hasattr(module, 'print_to_stdstream'):
        module.print_to_stdstream = lambda *_, **__: None


def _connect(ray: Any, settings: FleetSettings) -> Path | None:
    """Return the folder of the session where it is one of our own."""
    quiet = {'log_to_driver': False, 'logging_level': logging.ERROR, 'include_dashboard': False}
    try:
        if settings.address:
            del quiet['include_dashboard']
            ray.init(address=settings.address, namespace='espnet_ros', **quiet)
            return None
        folder = _folder()
        _remove_dead_sessions(folder)
        gpus = {'num_gpus': 1} if settings.gpus_per_job and _JETSON.exists() else {}
        context = ray.init(
            address='local',
            num_cpus=settings.local_jobs,
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=str(folder),
            **gpus,
            **quiet,
        )
        return Path(context.address_info['session_dir'])
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise RuntimeUnavailableError(
            f'--engine ray: {settings.address or "Ray"} does not start or answer: {reason[:300]}'
        ) from error


def _check_room(ray: Any, settings: FleetSettings) -> None:
    there = ray.cluster_resources()
    gpus = there.get('GPU', 0.0)
    if gpus < settings.gpus_per_job:
        raise RuntimeUnavailableError(
            f'--gpus-per-job: expected {settings.gpus_per_job:g} GPUs, found {gpus:g} in the '
            'cluster; leave it out, or give a smaller share'
        )


def _folder() -> Path:
    """Return where Ray keeps its sockets and logs: the user's cache, where the path is short."""
    cache = Path(platformdirs.user_cache_dir('espnet_ros', appauthor=False)) / 'ray'
    if len(str(cache)) > _SOCKET_PATH:
        cache = Path(tempfile.gettempdir()) / f'espnet_ros-{os.getuid()}'
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = cache.stat()
    if found.st_uid != os.getuid():
        raise RuntimeUnavailableError(f'{cache}: belongs to another user; remove it')
    return cache


def _remove_dead_sessions(folder: Path) -> None:
    """Remove what sessions left whose process was killed."""
    for path in folder.glob('session_*'):
        named = _SESSION.fullmatch(path.name)
        if named and not Path('/proc', named[1]).exists():
            shutil.rmtree(path, ignore_errors=True)
    latest = folder / 'session_latest'
    if latest.is_symlink() and not latest.exists():
        latest.unlink(missing_ok=True)


@contextmanager
def _reaped(session: Path) -> Iterator[None]:
    """End all processes of a session, and remove it, also when this process is killed."""
    words = [sys.executable, '-S', '-E', ray_reaper.__file__, str(session)]
    reaper = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        reaper.communicate()
        _remove_dead_sessions(session.parent)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what TERM and Ctrl-C do, which Ray sets anew."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
