"""Whether this machine can use TensorRT, and what it lacks."""

from __future__ import annotations

import ctypes

from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.runtimes.tensorrt.cuda import open_cuda
from espnet_ros.runtimes.tensorrt.library import load_tensorrt


def find_tensorrt() -> tuple[str, str | None]:
    """Return in words what ``runtime: tensorrt`` lacks here, or nothing, and its version."""
    missing, version = [], None
    try:
        version = str(load_tensorrt().__version__)
    except RuntimeUnavailableError as error:
        missing.append(str(error).removeprefix('tensorrt: '))
    if count_cuda_devices() == 0:
        missing.append('no CUDA device is visible (driver libcuda.so.1)')
    elif version is not None:
        try:
            open_cuda()
        except RuntimeUnavailableError as error:
            missing.append(str(error))
    return '; '.join(missing), None if missing else version


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
