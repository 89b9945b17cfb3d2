"""Checks of the machine, of Python and of the package; they need no library of the package."""

from __future__ import annotations

from importlib import import_module, metadata
from importlib.util import find_spec
import os
from pathlib import Path
import platform
import sys

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.version import is_installed, VERSION

_LIBRARIES = {
    'numpy': 'numpy',
    'cv2': 'opencv-python-headless',
    'onnx': 'onnx',
    'yaml': 'pyyaml',
    'platformdirs': 'platformdirs',
    'pooch': 'pooch',
    'rich': 'rich',
}
_EXTRAS = {
    'rosbags': ('bags', 'recordings of ROS 2 cannot be read'),
    'matplotlib': ('plots', 'bench draws no plots'),
    'tensorboard': ('curves', 'train writes no curves for TensorBoard'),
}
_CPU_FEATURES = ('avx2', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'asimdhp', 'bf16', 'sve')
_OLDEST_PYTHON = (3, 10)


def check_machine() -> list[Check]:
    cores = len(os.sched_getaffinity(0))
    model, features = _read_cpu()
    checks = [
        Check(
            'processor',
            Status.OK,
            f'{model or platform.machine()}, {cores} usable core{"" if cores == 1 else "s"}'
            + (f', {" ".join(features)}' if features else ''),
        )
    ]
    version = platform.python_version()
    if sys.version_info >= _OLDEST_PYTHON:
        checks.append(Check('python', Status.OK, f'{version} ({sys.executable})'))
    else:
        checks.append(Check('python', Status.FAIL, version, 'use Python 3.10 or newer'))
    return checks


def check_package() -> list[Check]:
    """Look at the package and the libraries that it needs."""
    where = Path(__file__).resolve().parents[2]
    if is_installed() or (where.parents[3] / 'share' / 'espnet_ros').is_dir():
        checks = [Check('espnet_ros', Status.OK, f'{VERSION} ({where})')]
    else:
        fix = 'make setup, or pip install . in the source tree'
        missing = f'{VERSION}, not installed, runs from {where}'
        checks = [Check('espnet_ros', Status.WARN, missing, fix)]
    found, broken = [], []
    for module, distribution in _LIBRARIES.items():
        try:
            import_module(module)
            found.append(f'{module} {metadata.version(distribution)}')
        except metadata.PackageNotFoundError:
            found.append(module)  # from the system's packages
        except (ImportError, OSError) as error:
            broken.append(
                Check(
                    'libraries', Status.FAIL, f'{module}: {error}', f'pip install {distribution}'
                )
            )
    return [*checks, Check('libraries', Status.OK, ', '.join(found)), *broken]


def check_extras() -> list[Check]:
    """Look at libraries that only some jobs need, each with what cannot be done without it."""
    return [
        Check(job, Status.ABSENT, f'{what}: {library} is not installed', f'pip install {library}')
        for library, (job, what) in _EXTRAS.items()
        if find_spec(library) is None
    ]


def _read_cpu() -> tuple[str, list[str]]:
    """Return the processor's name and those of its features that speed networks up."""
    try:
        text = Path('/proc/cpuinfo').read_text(encoding='utf-8')
    except OSError:
        return platform.processor(), []
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(':')
        values.setdefault(key.strip(), value.strip())
    flags = (values.get('flags') or values.get('Features') or '').split()
    return values.get('model name', ''), [name for name in _CPU_FEATURES if name in flags]
