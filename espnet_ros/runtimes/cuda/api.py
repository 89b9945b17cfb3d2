"""
The few functions of CUDA's runtime that running an engine needs.

All of them have the same form from CUDA 11.4 to 13; those whose form changed
(``cudaGraphInstantiate``, ``cudaGetDeviceProperties``, ...) are not used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum, IntFlag
from typing import ClassVar, NoReturn

from espnet_ros.exceptions import DeviceLostError, InferenceError

_STICKY = frozenset({214, 220, 226, 700, 702, 709, *range(714, 720)})
"""Errors that leave the process's CUDA context unusable: ECC, illegal address, time-out,
destroyed context, hardware stack, instruction, alignment, address space, program counter,
launch failure."""


class Attribute(IntEnum):
    """Attributes of a device, as ``cudaDeviceAttr`` numbers them."""

    INTEGRATED = 18
    CAN_MAP_HOST_MEMORY = 19
    COMPUTE_CAPABILITY_MAJOR = 75
    COMPUTE_CAPABILITY_MINOR = 76
    MULTIPROCESSORS = 16


class HostMemory(IntFlag):
    """Kinds of pinned host memory, as ``cudaHostAlloc`` takes them."""

    DEFAULT = 0
    PORTABLE = 1
    MAPPED = 2


class Copy(IntEnum):
    """Directions of a copy, as ``cudaMemcpyKind`` numbers them."""

    TO_DEVICE = 1
    TO_HOST = 2


STREAM_NON_BLOCKING = 1
"""``cudaStreamNonBlocking``: on the default stream TensorRT synchronises more than it must."""

CAPTURE_THREAD_LOCAL = 1
"""``cudaStreamCaptureModeThreadLocal``: other threads may allocate during a capture."""

SCHEDULE_BLOCKING_SYNC = 4
"""``cudaDeviceScheduleBlockingSync``: waiting sleeps; a robot has other work for its cores."""


class CudaApi(ABC):
    """
    CUDA's runtime; addresses and handles are plain integers.

    Every function raises :class:`InferenceError` with CUDA's own words where it fails, and
    :class:`DeviceLostError` where the device cannot be used any more. The current device is
    one of the calling thread.
    """

    name: ClassVar[str]

    @abstractmethod
    def runtime_version(self) -> tuple[int, int]:
        """Return major and minor version of the runtime library."""

    @abstractmethod
    def device_count(self) -> int:
        """Return how many devices there are."""

    @abstractmethod
    def attribute(self, attribute: Attribute, device: int) -> int:
        """Return an attribute of a device."""

    @abstractmethod
    def set_device(self, device: int) -> None:
        """Make a device the current one of this thread."""

    @abstractmethod
    def set_device_flags(self, flags: int) -> None:
        """Say how this process waits for the device."""

    @abstractmethod
    def allocate(self, size_bytes: int) -> int:
        """Return the address of fresh device memory."""

    @abstractmethod
    def free(self, address: int) -> None:
        """Free device memory."""

    @abstractmethod
    def allocate_host(self, size_bytes: int, kind: HostMemory) -> int:
        """Return the address of fresh pinned host memory."""

    @abstractmethod
    def free_host(self, address: int) -> None:
        """Free pinned host memory."""

    @abstractmethod
    def device_address(self, host_address: int) -> int:
        """Return where the device sees mapped host memory."""

    @abstractmethod
    def copy(self, target: int, source: int, size_bytes: int, kind: Copy, stream: int) -> None:
        """Copy on a stream; the host side is pinned and stays as it is until it is done."""

    @abstractmethod
    def create_stream(self) -> int:
        """Return a fresh non-blocking stream."""

    @abstractmethod
    def destroy_stream(self, stream: int) -> None:
        """Destroy a stream."""

    @abstractmethod
    def synchronize(self, stream: int) -> None:
        """Wait until everything on a stream is done; earlier kernels' errors come here."""

    @abstractmethod
    def begin_capture(self, stream: int) -> None:
        """Record what comes on a stream instead of running it."""

    @abstractmethod
    def end_capture(self, stream: int) -> int:
        """Return the graph that was recorded."""

    @abstractmethod
    def instantiate(self, graph: int) -> int:
        """Return a graph made ready to be launched."""

    @abstractmethod
    def launch(self, executable: int, stream: int) -> None:
        """Run a graph on a stream."""

    @abstractmethod
    def destroy_graph(self, graph: int) -> None:
        """Destroy a graph; those made ready of it stay."""

    @abstractmethod
    def destroy_executable(self, executable: int) -> None:
        """Destroy a graph that was made ready."""

    @abstractmethod
    def forget_error(self) -> None:
        """Clear the last error of this thread, as after a capture that failed."""


def raise_cuda_error(function: str, code: int, name: str, text: str) -> NoReturn:
    """
    Raise what a code of CUDA means.

    :param function: what failed
    :param code: number of the error
    :param name: CUDA's name of it
    :param text: CUDA's words for it
    """
    message = f'CUDA: {function} failed with error {code}, {name}: {text}'
    if code in _STICKY:
        raise DeviceLostError(
            f'{message}; the GPU context is lost, and where opening it anew does not help the '
            'process has to be started again'
        )
    raise InferenceError(message)
