"""libcudart as ctypes sees it (section 4.2)."""

from __future__ import annotations

from collections.abc import Callable
import ctypes
from typing import Any

from fake_tensorrt import device as machine
from fake_tensorrt.device import FakeDevice, INVALID_VALUE, NAMES, NO_DEVICE, Stream, SUCCESS

ATTRIBUTES = {16: 16, 19: 1}


def _number_of_devices(gpu: FakeDevice) -> tuple[int, int]:
    return (SUCCESS, gpu.count) if gpu.count else (NO_DEVICE, 0)


def _attribute(gpu: FakeDevice, kind: int, index: int) -> tuple[int, int]:
    if not 0 <= index < gpu.count:
        return INVALID_VALUE, 0
    own = {18: int(gpu.is_integrated), 75: gpu.capability[0], 76: gpu.capability[1]}
    return SUCCESS, (ATTRIBUTES | own)[kind]


def _host_alloc(gpu: FakeDevice, size: int, flags: int) -> tuple[int, int]:
    if flags not in (0, 2):
        return INVALID_VALUE, 0
    return SUCCESS, gpu.allocate(gpu.host_memory, size)


def _device_pointer(gpu: FakeDevice, host: int, flags: int) -> tuple[int, int]:
    return (SUCCESS, host) if host in gpu.host_memory and not flags else (INVALID_VALUE, 0)


def _stream(gpu: FakeDevice, flags: int) -> tuple[int, int]:
    if flags != 1:  # on the default kind of stream TensorRT synchronises the device
        return INVALID_VALUE, 0
    handle = gpu.handle()
    gpu.streams[handle] = Stream()
    return SUCCESS, handle


def _copy(gpu: FakeDevice, *values: int) -> int:
    target, source, size, kind, stream = values
    if stream not in gpu.streams:
        return INVALID_VALUE
    gpu.streams[stream].put(lambda: gpu.copy(target, source, size, kind))
    return SUCCESS


def _instantiate(gpu: FakeDevice, graph: int, flags: int) -> tuple[int, int]:
    handle = gpu.handle()
    gpu.executables[handle] = gpu.graphs[graph]
    return SUCCESS, handle


def _launch(gpu: FakeDevice, executable: int, stream: int) -> int:
    for work in gpu.executables[executable]:
        gpu.streams[stream].put(work)
    return SUCCESS


def _begin(gpu: FakeDevice, stream: int, mode: int) -> int:
    return gpu.begin_capture(stream) if mode == 1 else INVALID_VALUE


FUNCTIONS: dict[str, Callable[..., Any]] = {
    'cudaRuntimeGetVersion': lambda gpu: (SUCCESS, 12060),
    'cudaDriverGetVersion': lambda gpu: (SUCCESS, gpu.driver_version),
    'cudaGetDeviceCount': _number_of_devices,
    'cudaDeviceGetAttribute': _attribute,
    'cudaSetDevice': lambda gpu, index: SUCCESS if index < gpu.count else INVALID_VALUE,
    'cudaSetDeviceFlags': lambda gpu, flags: SUCCESS,
    'cudaMalloc': lambda gpu, size: (SUCCESS, gpu.allocate(gpu.device_memory, size)),
    'cudaFree': lambda gpu, address: gpu.release(gpu.device_memory, address),
    'cudaHostAlloc': _host_alloc,
    'cudaFreeHost': lambda gpu, address: gpu.release(gpu.host_memory, address),
    'cudaHostGetDevicePointer': _device_pointer,
    'cudaMemcpyAsync': _copy,
    'cudaStreamCreateWithFlags': _stream,
    'cudaStreamDestroy': lambda gpu, s: INVALID_VALUE if gpu.streams.pop(s, None) is None else 0,
    'cudaStreamSynchronize': lambda gpu, stream: gpu.synchronize(stream),
    'cudaStreamBeginCapture': _begin,
    'cudaStreamEndCapture': lambda gpu, stream: gpu.end_capture(stream),
    'cudaGraphInstantiateWithFlags': _instantiate,
    'cudaGraphLaunch': _launch,
    'cudaGraphDestroy': lambda gpu, g: INVALID_VALUE if gpu.graphs.pop(g, None) is None else 0,
    'cudaGraphExecDestroy': lambda gpu, e: (
        INVALID_VALUE if gpu.executables.pop(e, None) is None else 0
    ),
    'cudaGetLastError': lambda gpu: SUCCESS,
}
"""What each does; those with a result return it beside the code."""

_HANDLE_LAST = ('cudaStreamEndCapture',)


def _call(name: str, values: tuple[int, ...]) -> tuple[int, int | None]:
    gpu = machine.current
    code = gpu.enter(name)
    if code:
        return code, None
    result = FUNCTIONS[name](gpu, *values)
    return result if isinstance(result, tuple) else (result, None)


class _Function:
    """A function of a C library: without ``argtypes`` it cuts integers to 32 bits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.argtypes: tuple[Any, ...] | None = None
        self.restype: Any = ctypes.c_int

    def __call__(self, *arguments: Any) -> Any:
        if self.argtypes is None or len(arguments) != len(self.argtypes):
            raise TypeError(f'{self.name}: argtypes are {self.argtypes}')
        if self.name.startswith('cudaGetError'):
            words = NAMES.get(arguments[0], ('cudaErrorUnknown', 'unknown error'))
            return words[self.name.endswith('String')].encode()
        pointers = [a for a in arguments if hasattr(a, '_obj')]
        code, value = _call(self.name, tuple(a for a in arguments if not hasattr(a, '_obj')))
        if value is not None and not code:
            pointers[0]._obj.value = value
        return code


class FakeCudart:
    """A libcudart, as ``ctypes.CDLL`` returns it."""

    def __init__(self) -> None:
        for name in (*FUNCTIONS, 'cudaGetErrorName', 'cudaGetErrorString'):
            setattr(self, name, _Function(name))


def load_library(name: str) -> Any:
    """Stand in for ``ctypes.CDLL``: there is a libcudart, and nothing else."""
    if 'cudart' in str(name):
        return FakeCudart()
    raise OSError(f'{name}: cannot open shared object file')
