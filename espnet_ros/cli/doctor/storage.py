"""Checks of the folder that fetched models are kept in."""

from __future__ import annotations

import os
import shutil

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.model_file.store import models_folder

_LOW_DISK_BYTES = 1 << 30


def check_storage() -> list[Check]:
    """Look whether models can be kept, and whether there is room."""
    folder = models_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free_bytes = shutil.disk_usage(there).free
    is_low = free_bytes < _LOW_DISK_BYTES
    kept = Check('model folder', Status.OK, f'{folder}')
    if not os.access(there, os.W_OK):
        fix = 'make it writable, or set ESPNET_ROS_MODELS to another folder'
        kept = Check('model folder', Status.WARN, f'{folder} cannot be written', fix)
    return [
        kept,
        Check(
            'disk',
            Status.WARN if is_low else Status.OK,
            f'{free_bytes / 1e9:.1f} GB free at {there}',
            'free some space' if is_low else '',
        ),
    ]
