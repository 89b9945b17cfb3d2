"""CUDA's runtime library by NVIDIA's Python bindings, where they are installed."""

from __future__ import annotations

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


class PythonCuda(CudaApi):
    """
    The functions of the module ``cuda.bindings.runtime``, or ``cuda.cudart`` before 12.6.1.

    Each of them returns a tuple with the error first.

    :param module: the imported module
    """

    name = 'cuda-python'

    def __init__(self, module: Any) -> None:
        self._module = module

    def runtime_version(self) -> tuple[int, int]:
        """Return major and minor version of the runtime library."""
        version = self._number('cudaRuntimeGetVersion')
        return version // 1000, version % 1000 // 10

    def device_count(self) -> int:
        """Return how many devices there are."""
        return self._number('cudaGetDeviceCount')

    def attribute(self, attribute: Attribute, device: int) -> int:
        """Return an attribute of a device."""
        kind = self._module.cudaDeviceAttr(int(attribute))
        return self._number('cudaDeviceGetAttribute', kind, device)

    def set_device(self, device: int) -> None:
        """Make a device the current one of this thread."""
        self._call('cudaSetDevice', device)

    def set_device_flags(self, flags: int) -> None:
        """Say how this process waits for the device."""
        self._call('cudaSetDeviceFlags', flags)

    def allocate(self, size_bytes: int) -> int:
        """Return the address of fresh device memory."""
        return self._number('cudaMalloc', size_bytes)

    def free(self, address: int) -> None:
        """Free device memory."""
        self._call('cudaFree', address)

    def allocate_host(self, size_bytes: int, kind: HostMemory) -> int:
        """Return the address of fresh pinned host memory."""
        return self._number('cudaHostAlloc', size_bytes, int(kind))

    def free_host(self, address: int) -> None:
        """Free pinned host memory."""
        self._call('cudaFreeHost', address)

    def device_address(self, host_address: int) -> int:
        """Return where the device sees mapped host memory."""
        return self._number('cudaHostGetDevicePointer', host_address, 0)

    def copy(self, target: int, source: int, size_bytes: int, kind: Copy, stream: int) -> None:
        """Copy on a stream; the host side is pinned and stays as it is until it is done."""
        direction = self._module.cudaMemcpyKind(int(kind))
        self._call('cudaMemcpyAsync', target, source, size_bytes, direction, stream)

    def create_stream(self) -> int:
        """Return a fresh non-blocking stream."""
        return self._number('cudaStreamCreateWithFlags', STREAM_NON_BLOCKING)

    def destroy_stream(self, stream: int) -> None:
        """Destroy a stream."""
        self._call('cudaStreamDestroy', stream)

    def synchronize(self, stream: int) -> None:
        """Wait until everything on a stream is done; earlier kernels' errors come here."""
        self._call('cudaStreamSynchronize', stream)

    def begin_capture(self, stream: int) -> None:
        """Record what comes on a stream instead of running it."""
        mode = self._module.cudaStreamCaptureMode(CAPTURE_THREAD_LOCAL)
        self._call('cudaStreamBeginCapture', stream, mode)

    def end_capture(self, stream: int) -> int:
        """Return the graph that was recorded."""
        return self._number('cudaStreamEndCapture', stream)

    def instantiate(self, graph: int) -> int:
        """Return a graph made ready to be launched."""
        return self._number('cudaGraphInstantiateWithFlags', graph, 0)

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
        self._module.cudaGetLastError()

    def _call(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        error, *values = getattr(self._module, name)(*arguments)
        if int(error):
            words = [
                found.decode(errors='replace') if isinstance(found, bytes) else str(found)
                for found in (
                    self._module.cudaGetErrorName(error)[1],
                    self._module.cudaGetErrorString(error)[1],
                )
            ]
            raise_cuda_error(name, int(error), *words)
        return tuple(values)

    def _number(self, name: str, *arguments: Any) -> int:
        return int(self._call(name, *arguments)[0])
