"""What this machine lacks for TensorRT."""

from __future__ import annotations

import ctypes
import importlib.util


def missing_for_tensorrt() -> str:
    """Return in words what ``runtime: tensorrt`` lacks on this machine."""
    missing = []
    if importlib.util.find_spec('tensorrt') is None:
        missing.append(
            'the Python package tensorrt is not installed (part of JetPack on a Jetson, '
            'pip install tensorrt elsewhere)'
        )
    if count_cuda_devices() == 0:
        missing.append('no CUDA device is visible (driver libcuda.so.1)')
    missing.append('this release of espnet_ros builds no TensorRT engines yet')
    return '; '.join(missing)


def count_cuda_devices() -> int:
    """Return how many CUDA devices the driver offers; 0 where there is no driver."""
    try:
        driver = ctypes.CDLL('libcuda.so.1')
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
