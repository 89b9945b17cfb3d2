"""Whether this machine can use TensorRT, and what it lacks."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
import logging
from typing import Any

from espnet_ros.exceptions import InferenceError, RuntimeUnavailableError
from espnet_ros.runtimes.tensorrt.cuda import Cuda, open_cuda
from espnet_ros.runtimes.tensorrt.library import load_tensorrt
from espnet_ros.runtimes.tensorrt.machine import find_gpu, Gpu

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """
    A GPU that is ready.

    :param trt: the module tensorrt
    :param cuda: CUDA's runtime
    :param gpu: what was chosen
    """

    trt: Any
    cuda: Cuda
    gpu: Gpu

    @property
    def version(self) -> str:
        """Return the version of TensorRT."""
        return str(self.trt.__version__)


def open_device(requested: str) -> Device:
    """
    Return the GPU that was requested, as the current one of this thread.

    :param requested: as :func:`choose_device` takes it
    :raises RuntimeUnavailableError: TensorRT, CUDA or the GPU is not here
    """
    trt, cuda = load_tensorrt(), open_cuda()
    gpu = find_gpu(cuda, choose_device(requested))
    device = Device(trt, cuda, gpu)
    words = (gpu.words, device.version, *cuda.runtime_version())
    logger.info('found %s, TensorRT %s, CUDA %d.%d', *words)
    cuda.set_device(gpu.index)
    # Where the context is there already it waits as it did.
    with contextlib.suppress(InferenceError):
        cuda.wait_asleep()
    return device


def choose_device(requested: str) -> int:
    """
    Return the number of the CUDA device.

    :param requested: auto, gpu or cuda, or one of them with a number
    :raises RuntimeUnavailableError: it is none of them
    """
    kind, _, number = requested.lower().partition(':')
    if kind not in ('auto', 'gpu', 'cuda') or (number and not number.isdecimal()):
        raise RuntimeUnavailableError(
            f'tensorrt: no device {requested!r}; expected auto, gpu or cuda, with a number where '
            'there are several (cuda:1)'
        )
    return int(number or 0)


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
