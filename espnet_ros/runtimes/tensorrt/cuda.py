"""
CUDA's runtime library by ctypes: the few functions that running an engine needs.

All of them have the same form from CUDA 11.4 to 13; those whose form changed
(``cudaGraphInstantiate``, ``cudaGetDeviceProperties``, ...) are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_ulonglong, c_void_p, POINTER
from enum import IntEnum, IntFlag
import importlib.util
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import DeviceLostError, InferenceError, RuntimeUnavailableError

_NAMES = ('libcudart.so.12', 'libcudart.so.13', 'libcudart.so.11.0', 'libcudart.so')
_FOLDERS = ('/usr/local/cuda/lib64',)
_PIP_FOLDERS = ('nvidia/cuda_runtime/lib', 'nvidia/cu13/lib')

_STICKY = frozenset({214, 220, 226, 700, 702, 709, *range(714, 720)})
"""Errors that leave the process's CUDA context unusable: ECC, illegal address, time-out,
destroyed context, hardware stack, instruction, alignment, address space, program counter,
launch failure."""

_STREAM_NON_BLOCKING = 1
"""``cudaStreamNonBlocking``: on the default stream TensorRT synchronises more than it must."""

_CAPTURE_THREAD_LOCAL = 1
"""``cudaStreamCaptureModeThreadLocal``: other threads may allocate during a capture."""

_SCHEDULE_BLOCKING_SYNC = 4
"""``cudaDeviceScheduleBlockingSync``: waiting sleeps; a robot has other work for its cores."""


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


_HANDLE = POINTER(c_void_p)

SIGNATURES: dict[str, tuple[Any, ...]] = {
    'cudaRuntimeGetVersion': (POINTER(c_int),),
    'cudaDriverGetVersion': (POINTER(c_int),),
    'cudaGetDeviceCount': (POINTER(c_int),),
    'cudaDeviceGetAttribute': (POINTER(c_int), c_int, c_int),
    'cudaSetDevice': (c_int,),
    'cudaSetDeviceFlags': (c_uint,),
    'cudaMalloc': (_HANDLE, c_size_t),
    'cudaFree': (c_void_p,),
    'cudaHostAlloc': (_HANDLE, c_size_t, c_uint),
    'cudaFreeHost': (c_void_p,),
    'cudaHostGetDevicePointer': (_HANDLE, c_void_p, c_uint),
    'cudaMemcpyAsync': (c_void_p, c_void_p, c_size_t, c_int, c_void_p),
    'cudaStreamCreateWithFlags': (_HANDLE, c_uint),
    'cudaStreamDestroy': (c_void_p,),
    'cudaStreamSynchronize': (c_void_p,),
    'cudaStreamBeginCapture': (c_void_p, c_int),
    'cudaStreamEndCapture': (c_void_p, _HANDLE),
    'cudaGraphInstantiateWithFlags': (_HANDLE, c_void_p, c_ulonglong),
    'cudaGraphLaunch': (c_void_p, c_void_p),
    'cudaGraphDestroy': (c_void_p,),
    'cudaGraphExecDestroy': (c_void_p,),
    'cudaGetLastError': (),
}
"""Arguments by function, the same in the headers of CUDA 11.4 to 13; each returns an error
code. Without them ctypes cuts addresses to 32 bits."""


class Cuda:
    """
    CUDA's runtime; addresses and handles are plain integers.

    Every function raises :class:`InferenceError` with CUDA's own words where it fails, and
    :class:`DeviceLostError` where the device cannot be used any more. The current device is
    one of the calling thread.

    :raises AttributeError: the library lacks one of the functions
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self._functions: dict[str, Any] = {}
        for name, arguments in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes = arguments
            function.restype = c_int
            self._functions[name] = function
        self._error_name, self._error_text = library.cudaGetErrorName, library.cudaGetErrorString
        for function in (self._error_name, self._error_text):
            function.argtypes = (c_int,)
            function.restype = c_char_p

    def runtime_version(self) -> tuple[int, int]:
        """Return major and minor version of the runtime library."""
        version = self._number('cudaRuntimeGetVersion')
        return version // 1000, version % 1000 // 10

    def fits_driver(self) -> bool:
        """Return whether the driver is new enough: of the library's major version or newer."""
        return self.driver_version()[0] >= self.runtime_version()[0]

    def driver_version(self) -> tuple[int, int]:
        """Return major and minor version of the newest CUDA that the driver knows."""
        version = self._number('cudaDriverGetVersion')
        return version // 1000, version % 1000 // 10

    def device_count(self) -> int:
        return self._number('cudaGetDeviceCount')

    def attribute(self, attribute: Attribute, device: int) -> int:
        return self._number('cudaDeviceGetAttribute', attribute, device)

    def set_device(self, device: int) -> None:
        self._call('cudaSetDevice', device)

    def wait_asleep(self) -> None:
        """Let the threads of this process sleep while they wait for the current device."""
        self._call('cudaSetDeviceFlags', _SCHEDULE_BLOCKING_SYNC)

    def allocate(self, size_bytes: int) -> int:
        return self._handle('cudaMalloc', size_bytes)

    def free(self, address: int) -> None:
        self._call('cudaFree', address)

    def allocate_host(self, size_bytes: int, kind: HostMemory) -> int:
        return self._handle('cudaHostAlloc', size_bytes, kind)

    def free_host(self, address: int) -> None:
        self._call('cudaFreeHost', address)

    def device_address(self, host_address: int) -> int:
        """Return where the device sees mapped host memory."""
        return self._handle('cudaHostGetDevicePointer', host_address, 0)

    def copy(self, target: int, source: int, size_bytes: int, kind: Copy, stream: int) -> None:
        """Copy on a stream; the host side is pinned and stays as it is until it is done."""
        self._call('cudaMemcpyAsync', target, source, size_bytes, kind, stream)

    def create_stream(self) -> int:
        return self._handle('cudaStreamCreateWithFlags', _STREAM_NON_BLOCKING)

    def destroy_stream(self, stream: int) -> None:
        self._call('cudaStreamDestroy', stream)

    def synchronize(self, stream: int) -> None:
        """Wait until everything on a stream is done; earlier kernels' errors come here."""
        self._call('cudaStreamSynchronize', stream)

    def begin_capture(self, stream: int) -> None:
        """Record what comes on a stream instead of running it."""
        self._call('cudaStreamBeginCapture', stream, _CAPTURE_THREAD_LOCAL)

    def end_capture(self, stream: int) -> int:
        """Return the graph that was recorded."""
        graph = c_void_p()
        self._call('cudaStreamEndCapture', stream, byref(graph))
        return graph.value or 0

    def instantiate(self, graph: int) -> int:
        """Return a graph made ready to be launched."""
        return self._handle('cudaGraphInstantiateWithFlags', graph, 0)

    def launch(self, executable: int, stream: int) -> None:
        self._call('cudaGraphLaunch', executable, stream)

    def destroy_graph(self, graph: int) -> None:
        """Destroy a graph; those made ready of it stay."""
        self._call('cudaGraphDestroy', graph)

    def destroy_executable(self, executable: int) -> None:
        self._call('cudaGraphExecDestroy', executable)

    def forget_error(self) -> None:
        """Clear the last error of this thread, as after a capture that failed."""
        self._functions['cudaGetLastError']()

    def _call(self, name: str, *arguments: Any) -> None:
        code = self._functions[name](*arguments)
        if code:
            error, text = (
                (function(code) or b'').decode(errors='replace')
                for function in (self._error_name, self._error_text)
            )
            message = f'CUDA: {name} failed with error {code}, {error}: {text}'
            if code in _STICKY:
                raise DeviceLostError(
                    f'{message}; the GPU context is lost, and where opening it anew does not help '
                    'the process has to be started again'
                )
            raise InferenceError(message)

    def _number(self, name: str, *arguments: int) -> int:
        number = c_int()
        self._call(name, byref(number), *arguments)
        return number.value

    def _handle(self, name: str, *arguments: int) -> int:
        handle = c_void_p()
        self._call(name, byref(handle), *arguments)
        return handle.value or 0


def open_cuda() -> Cuda:
    """
    Return CUDA's runtime: the first that the driver suits, else the first.

    :raises RuntimeUnavailableError: there is no libcudart
    """
    others = []
    for path in _candidates():
        try:
            cuda = Cuda(ctypes.CDLL(path))
            if cuda.fits_driver():
                return cuda
        except (AttributeError, InferenceError, OSError):
            continue
        others.append(cuda)
    if others:
        return others[0]
    raise RuntimeUnavailableError(
        'no CUDA runtime library: expected libcudart.so in the library path or in '
        f'{_FOLDERS[0]}; install CUDA (part of JetPack: sudo apt install nvidia-jetpack)'
    )


def _candidates() -> Iterator[str]:
    yield from _NAMES
    folders = [Path(folder) for folder in _FOLDERS]
    spec = importlib.util.find_spec('nvidia')
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folders += [Path(root).parent / folder for folder in _PIP_FOLDERS]
    for folder in folders:
        yield from (str(path) for path in sorted(folder.glob('libcudart.so*')))
