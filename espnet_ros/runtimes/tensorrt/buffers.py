"""Memory that CPU and GPU share the contents of."""

from __future__ import annotations

import ctypes
import math

from espnet_ros.runtimes.tensorrt.cuda import Copy, Cuda, HostMemory
import numpy as np
from numpy.typing import DTypeLike, NDArray


class TensorBuffer:
    """
    One tensor's memory on host and device.

    On an integrated GPU, which shares the CPU's memory, both are one mapped piece and
    nothing is copied. On another, mapped memory would cross the bus at each access: there it
    is a pinned piece on the host and one on the device. Both are aligned to 256 bytes and
    more, as TensorRT asks for.

    :param cuda: CUDA's runtime, its device set
    :param shape: largest shape of the tensor; the first dimension is the batch
    :param is_mapped: whether the GPU is an integrated one
    :raises InferenceError: there is not enough memory

    :ivar host: the tensor on the host, of the largest shape; must not be used after
        :meth:`free`, nor may what :meth:`view` gave
    :ivar address: of the tensor on the device
    """

    def __init__(
        self, cuda: Cuda, shape: tuple[int, ...], dtype: DTypeLike, *, is_mapped: bool
    ) -> None:
        self._cuda = cuda
        self._is_mapped = is_mapped
        size_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        kind = HostMemory.MAPPED if is_mapped else HostMemory.DEFAULT
        self.host_address = cuda.allocate_host(size_bytes, kind)
        try:
            self.address = (
                cuda.device_address(self.host_address) if is_mapped else cuda.allocate(size_bytes)
            )
        except Exception:
            cuda.free_host(self.host_address)
            raise
        memory = (ctypes.c_uint8 * size_bytes).from_address(self.host_address)
        self.host: NDArray[np.generic] = np.ctypeslib.as_array(memory).view(dtype).reshape(shape)

    def view(self, shape: tuple[int, ...]) -> NDArray[np.generic]:
        """Return the host side of a tensor of that shape, which lies at the beginning."""
        return self.host.reshape(-1)[: math.prod(shape)].reshape(shape)

    def upload(self, shape: tuple[int, ...], stream: int) -> None:
        if not self._is_mapped:
            size_bytes = self.view(shape).nbytes
            self._cuda.copy(self.address, self.host_address, size_bytes, Copy.TO_DEVICE, stream)

    def download(self, count: int, stream: int) -> None:
        """Bring the first ``count`` items to the host, on a stream."""
        if not self._is_mapped:
            size_bytes = self.host[:count].nbytes
            self._cuda.copy(self.host_address, self.address, size_bytes, Copy.TO_HOST, stream)

    def free(self) -> None:
        """Free both sides; nothing on the device may use them any more."""
        self.host = np.empty((0, *self.host.shape[1:]), self.host.dtype)
        try:
            if not self._is_mapped:
                self._cuda.free(self.address)
        finally:
            self._cuda.free_host(self.host_address)
