"""A GPU that is not there: memory, streams and graphs of CUDA's runtime."""

from __future__ import annotations

from collections.abc import Callable
import ctypes
from typing import Any

Work = Callable[[], int]
"""Something on a stream; returns an error code."""

SUCCESS, INVALID_VALUE, OUT_OF_MEMORY, ILLEGAL_ADDRESS = 0, 1, 2, 700
NO_DEVICE, CAPTURE_INVALIDATED, CAPTURE_UNSUPPORTED = 100, 901, 900

NAMES = {
    1: ('cudaErrorInvalidValue', 'invalid argument'),
    2: ('cudaErrorMemoryAllocation', 'out of memory'),
    100: ('cudaErrorNoDevice', 'no CUDA-capable device is detected'),
    700: ('cudaErrorIllegalAddress', 'an illegal memory access was encountered'),
    900: ('cudaErrorStreamCaptureUnsupported', 'operation not permitted when stream is capturing'),
    901: ('cudaErrorStreamCaptureInvalidated', 'operation failed due to an earlier error'),
}


class Stream:
    """Work that waits, and whether it is being recorded."""

    def __init__(self) -> None:
        self.waiting: list[Work] = []
        self.captured: list[Work] | None = None
        self.is_invalid = False

    def put(self, work: Work) -> None:
        """Add work: to the recording where there is one."""
        (self.waiting if self.captured is None else self.captured).append(work)


class FakeDevice:
    """
    A GPU.

    :param is_integrated: whether it shares the CPU's memory (section 4.4)
    :param count: how many there are

    :ivar fail_next: codes that functions return at their next call, by name
    :ivar calls: names of the functions that were called
    :ivar poison: error that every call returns from now on (section 3.3: a fault is sticky)
    """

    def __init__(self, *, is_integrated: bool = False, count: int = 1) -> None:
        self.is_integrated = is_integrated
        self.count = count
        self.calls: list[str] = []
        self.fail_next: dict[str, int] = {}
        self.poison = SUCCESS
        self.device_memory: dict[int, Any] = {}
        self.host_memory: dict[int, Any] = {}
        self.streams: dict[int, Stream] = {}
        self.graphs: dict[int, list[Work]] = {}
        self.executables: dict[int, list[Work]] = {}
        self.damaged_share = 0.0
        self.driver_version = 12060
        self.capability = (8, 7)
        self.has_capturable_engine = True
        self._next_handle = 0x7F0000000000  # above 32 bits, as cut-off handles must be found

    def enter(self, name: str) -> int:
        """Count a call; return the error that it is to give."""
        self.calls.append(name)
        return self.poison or self.fail_next.pop(name, SUCCESS)

    def handle(self) -> int:
        self._next_handle += 0x1000
        return self._next_handle

    def allocate(self, memory: dict[int, Any], size_bytes: int) -> int:
        """Return the address of fresh memory, aligned to 256 bytes (section 3.2)."""
        block = (ctypes.c_uint8 * (size_bytes + 256))()
        ctypes.memset(block, 0xA5, len(block))  # nobody promised zeros
        address = (ctypes.addressof(block) + 255) // 256 * 256
        memory[address] = (block, size_bytes)
        return address

    def release(self, memory: dict[int, Any], address: int) -> int:
        """Free memory; twice is an error."""
        return INVALID_VALUE if memory.pop(address, None) is None else SUCCESS

    def is_readable(self, address: int, size_bytes: int) -> bool:
        """Return whether a kernel may use a tensor there."""
        for memory in (self.device_memory, self.host_memory if self.is_integrated else {}):
            if address in memory and memory[address][1] >= size_bytes:
                return address % 256 == 0
        return False

    def copy(self, target: int, source: int, size_bytes: int, kind: int) -> int:
        """Copy now; the sides must be what the kind says."""
        host, device = (source, target) if kind == 1 else (target, source)
        known = host in self.host_memory and device in self.device_memory
        if not known or size_bytes > min(self.host_memory[host][1], self.device_memory[device][1]):
            return INVALID_VALUE
        ctypes.memmove(target, source, size_bytes)
        return SUCCESS

    def synchronize(self, stream: int) -> int:
        """Do what waits on a stream; the first error of a kernel stays for ever."""
        if stream not in self.streams:
            return INVALID_VALUE
        state = self.streams[stream]
        if state.captured is not None:
            state.is_invalid = True
            return CAPTURE_UNSUPPORTED
        waiting, state.waiting = state.waiting, []
        for work in waiting:
            code = work()
            if code:
                self.poison = code if code >= ILLEGAL_ADDRESS else self.poison
                return code
        return SUCCESS

    def begin_capture(self, stream: int) -> int:
        """Record from now on."""
        if self.streams[stream].captured is not None:
            return INVALID_VALUE
        self.streams[stream].captured = []
        return SUCCESS

    def end_capture(self, stream: int) -> tuple[int, int]:
        """Return the code, and the graph that was recorded."""
        state = self.streams[stream]
        captured, state.captured = state.captured, None
        if captured is None or state.is_invalid:
            state.is_invalid = False
            return CAPTURE_INVALIDATED, 0
        graph = self.handle()
        self.graphs[graph] = captured
        return SUCCESS, graph

    @property
    def leaks(self) -> list[str]:
        """Return what was never freed."""
        kinds = ('device_memory', 'host_memory', 'streams', 'graphs', 'executables')
        return [kind for kind in kinds if getattr(self, kind)]


current: FakeDevice = FakeDevice()
"""The machine's GPU; a test puts its own here."""


def install(device: FakeDevice) -> FakeDevice:
    """Make a device the machine's; return it."""
    global current  # noqa: PLW0603  a machine has one
    current = device
    return device
