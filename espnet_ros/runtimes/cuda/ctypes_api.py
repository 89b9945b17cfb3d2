"""CUDA's runtime library by ctypes: no dependency beyond CUDA itself."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_ulonglong, c_void_p, POINTER
from typing import Any

from espnet_ros.runtimes.cuda.api import (
    Attribute,
    CAPTURE_THREAD_LOCAL,
    Copy,
    CudaApi,
    HostMemory,
    raise_cuda_error,
    STREAM_NON_BLOCKING,
)

_HANDLE = POINTER(c_void_p)

SIGNATURES: dict[str, tuple[Any, ...]] = {
    'cudaRuntimeGetVersion': (POINTER(c_int),),
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


class CtypesCuda(CudaApi):
    """
    The functions of a libcudart.

    :param library: the loaded library
    :raises AttributeError: the library lacks one of the functions
    """

    name = 'ctypes'

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

    def device_count(self) -> int:
        """Return how many devices there are."""
        return self._number('cudaGetDeviceCount')

    def attribute(self, attribute: Attribute, device: int) -> int:
        """Return an attribute of a device."""
        return self._number('cudaDeviceGetAttribute', attribute, device)

    def set_device(self, device: int) -> None:
        """Make a device the current one of this thread."""
        self._call('cudaSetDevice', device)

    def set_device_flags(self, flags: int) -> None:
        """Say how this process waits for the device."""
        self._call('cudaSetDeviceFlags', flags)

    def allocate(self, size_bytes: int) -> int:
        """Return the address of fresh device memory."""
        return self._handle('cudaMalloc', size_bytes)

    def free(self, address: int) -> None:
        """Free device memory."""
        self._call('cudaFree', address)

    def allocate_host(self, size_bytes: int, kind: HostMemory) -> int:
        """Return the address of fresh pinned host memory."""
        return self._handle('cudaHostAlloc', size_bytes, kind)

    def free_host(self, address: int) -> None:
        """Free pinned host memory."""
        self._call('cudaFreeHost', address)

    def device_address(self, host_address: int) -> int:
        """Return where the device sees mapped host memory."""
        return self._handle('cudaHostGetDevicePointer', host_address, 0)

    def copy(self, target: int, source: int, size_bytes: int, kind: Copy, stream: int) -> None:
        """Copy on a stream; the host side is pinned and stays as it is until it is done."""
        self._call('cudaMemcpyAsync', target, source, size_bytes, kind, stream)

    def create_stream(self) -> int:
        """Return a fresh non-blocking stream."""
        return self._handle('cudaStreamCreateWithFlags', STREAM_NON_BLOCKING)

    def destroy_stream(self, stream: int) -> None:
        """Destroy a stream."""
        self._call('cudaStreamDestroy', stream)

    def synchronize(self, stream: int) -> None:
        """Wait until everything on a stream is done; earlier kernels' errors come here."""
        self._call('cudaStreamSynchronize', stream)

    def begin_capture(self, stream: int) -> None:
        """Record what comes on a stream instead of running it."""
        self._call('cudaStreamBeginCapture', stream, CAPTURE_THREAD_LOCAL)

    def end_capture(self, stream: int) -> int:
        """Return the graph that was recorded."""
        graph = c_void_p()
        self._call('cudaStreamEndCapture', stream, byref(graph))
        return graph.value or 0

    def instantiate(self, graph: int) -> int:
        """Return a graph made ready to be launched."""
        return self._handle('cudaGraphInstantiateWithFlags', graph, 0)

    def launch(self, executable: int, stream: int) -> None:
        """Run a graph on a stream."""
        self._call('cudaGraphLaunch', executable, stream)

    def destroy_graph(self, graph: int) -> None:
        """Destroy a graph; those made ready of it stay."""
        self._call('cudaGraphDestroy', graph)

    def destroy_executable(self, executable: int) -> None:
        """Destroy a graph that was made ready."""
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
            raise_cuda_error(name, code, error, text)

    def _number(self, name: str, *arguments: int) -> int:
        number = c_int()
        self._call(name, byref(number), *arguments)
        return number.value

    def _handle(self, name: str, *arguments: int) -> int:
        handle = c_void_p()
        self._call(name, byref(handle), *arguments)
        return handle.value or 0
