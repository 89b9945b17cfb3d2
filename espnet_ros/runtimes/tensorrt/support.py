"""Whether this machine can use TensorRT, and what it lacks."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
from importlib.util import find_spec
import logging
from typing import Any

from espnet_ros.exceptions import InferenceError, RuntimeUnavailableError
from espnet_ros.runtimes.tensorrt.cuda import Cuda, open_cuda
from espnet_ros.runtimes.tensorrt.library import Library, load_tensorrt, name_of, TENSORRT
from espnet_ros.runtimes.tensorrt.machine import find_gpu, Gpu

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A GPU that is ready."""

    trt: Any
    cuda: Cuda
    gpu: Gpu

    @property
    def version(self) -> str:
        return str(self.trt.__version__)

    @property
    def words(self) -> str:
        """Return GPU and driver in words, all that compiled kernels depend on."""
        gpu, driver = self.gpu, self.cuda.driver_version()
        return f'{gpu.words}, {gpu.multiprocessors} multiprocessors, driver of CUDA {driver}'


def open_device(requested: str, library: Library = TENSORRT) -> Device:
    """
    Return the GPU that was requested, as the current one of this thread.

    :raises RuntimeUnavailableError: the library, CUDA or the GPU is not here, or they do not fit
    """
    trt, cuda = load_tensorrt(library), open_cuda()
    gpu = find_gpu(cuda, choose_device(requested, library.name), library.name)
    if not library.runs_on(gpu.compute_capability):
        known = ', '.join('{}.{}'.format(*capability) for capability in library.capabilities)
        raise RuntimeUnavailableError(
            f'{library.name}: expected a GPU of compute capability {known} or newer, found '
            f'{gpu.words}; set runtime to tensorrt'
        )
    device = Device(trt, cuda, gpu)
    words = (gpu.words, name_of(trt), *cuda.runtime_version())
    logger.info('found %s, %s, CUDA %d.%d', *words)
    cuda.set_device(gpu.index)
    # Where the context is there already it waits as it did.
    with contextlib.suppress(InferenceError):
        cuda.wait_asleep()
    return device


def choose_device(requested: str, runtime: str = TENSORRT.name) -> int:
    """
    Return the number of the CUDA device.

    :param requested: auto, gpu or cuda, or one of them with a number
    :raises RuntimeUnavailableError: it is none of them
    """
    kind, _, number = requested.lower().partition(':')
    if kind not in ('auto', 'gpu', 'cuda') or (number and not number.isdecimal()):
        raise RuntimeUnavailableError(
            f'{runtime}: no device {requested!r}; expected auto, gpu or cuda, with a number where '
            'there are several (cuda:1)'
        )
    return int(number or 0)


def find_tensorrt(library: Library = TENSORRT) -> tuple[str, str | None]:
    """Return in words what a library lacks here to run, or nothing, and its version."""
    missing, version = [], None
    has_devices = count_cuda_devices() > 0
    try:
        # Loading takes a second, for nothing where there is no GPU.
        if has_devices or find_spec(library.name) is None:
            version = str(load_tensorrt(library).__version__)
    except RuntimeUnavailableError as error:
        missing.append(str(error).removeprefix(f'{library.name}: '))
    if not has_devices:
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
