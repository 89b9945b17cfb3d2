"""The GPU and board that an engine is for, and the story that the log tells of them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from espnet_ros.exceptions import InferenceError, RuntimeUnavailableError
from espnet_ros.runtimes.tensorrt.cuda import Attribute, Cuda
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.jetson.board import find_board

_JETPACKS = {
    '39.2': '7.2',
    '39.0': '7.2 (early access)',
    '38.4': '7.1',
    '38.2': '7.0',
    '36.5': '6.2.2',
    '36.4.7': '6.2.1',
    '36.4.4': '6.2.1',
    '36.4.3': '6.2',
    '36.4.0': '6.1',
    '36.3': '6.0',
}
"""JetPack by the beginning of the version of Jetson Linux; the longest one counts."""


@dataclass(frozen=True)
class Gpu:
    """
    A GPU, as far as engines depend on it.

    :param name: of the board on a Jetson, else of the card
    :param is_integrated: whether it shares the CPU's memory
    :param release: version of Jetson Linux, or None
    """

    index: int
    name: str
    compute_capability: tuple[int, int]
    multiprocessors: int
    is_integrated: bool
    release: str | None = None

    @property
    def has_fast_fp16(self) -> bool:
        """Return whether FP16 is faster than FP32 there."""
        return self.compute_capability >= (7, 0) or self.compute_capability in (
            (5, 3),
            (6, 0),
            (6, 2),
        )

    @property
    def capability_words(self) -> str:
        return '{}.{}'.format(*self.compute_capability)

    @property
    def words(self) -> str:
        """Return it in words, with its JetPack."""
        system = ''
        if self.release is not None:
            pack = jetpack_of(self.release)
            system = f' with {f"JetPack {pack}, " if pack else ""}Jetson Linux {self.release}'
        return f'{self.name} (compute capability {self.capability_words}){system}'


def find_gpu(cuda: Cuda, index: int, runtime: str = 'tensorrt') -> Gpu:
    """
    Return a GPU of this machine.

    :raises RuntimeUnavailableError: there is no such GPU, or none can be used
    """
    try:
        count = cuda.device_count()
    except InferenceError as error:
        raise RuntimeUnavailableError(
            f'{runtime}: no GPU can be used ({error}); check the driver'
        ) from error
    if not 0 <= index < count:
        raise RuntimeUnavailableError(
            f'{runtime}: expected a GPU number below {count}, found {index}'
        )
    board = find_board(FileTree())
    is_integrated = bool(
        cuda.attribute(Attribute.INTEGRATED, index)
        and cuda.attribute(Attribute.CAN_MAP_HOST_MEMORY, index)
    )
    # On a Jetson the driver calls every GPU by its chip, and boards differ in clocks.
    name = board.name if board.is_jetson else _driver_name(index)
    return Gpu(
        index,
        name or f'GPU {index}',
        (
            cuda.attribute(Attribute.COMPUTE_CAPABILITY_MAJOR, index),
            cuda.attribute(Attribute.COMPUTE_CAPABILITY_MINOR, index),
        ),
        cuda.attribute(Attribute.MULTIPROCESSORS, index),
        is_integrated,
        board.release,
    )


def jetpack_of(release: str) -> str | None:
    """Return the JetPack that a version of Jetson Linux belongs to, or None."""
    for beginning in sorted(_JETPACKS, key=len, reverse=True):
        if release == beginning or release.startswith(f'{beginning}.'):
            return _JETPACKS[beginning]
    return None


def _driver_name(index: int) -> str | None:
    """Return what the driver calls a GPU; its function has had one form since CUDA 2."""
    try:
        driver = ctypes.CDLL('libcuda.so.1')
    except OSError:
        return None
    device, text = ctypes.c_int(), ctypes.create_string_buffer(256)
    if (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), index)
        or driver.cuDeviceGetName(text, len(text), device)
    ):
        return None
    return text.value.decode(errors='replace') or None
