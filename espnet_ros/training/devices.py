"""Where training runs, and in which arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any, cast, TypeVar

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
import torch

PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16')

Forward = TypeVar('Forward', bound=Callable[..., Any])
"""A network, or a method of one."""

_CPU_INFO = Path('/proc/cpuinfo')


@dataclass(frozen=True)
class Compute:
    """
    A device and its arithmetic.

    :param device: what torch calls it
    :param precision: ``fp32``, ``bf16`` or ``fp16``; weights and losses stay float32
    """

    device: torch.device
    precision: str

    @property
    def memory_format(self) -> torch.memory_format:
        """
        Return how the channels lie in memory: together where that is faster and right.

        oneDNN's gradient of bf16 weights is wrong, up to infinite, for dilated convolutions of
        25 channels (ESPNet's third stage) whose channels lie together (torch 2.13); in planes it
        is right.
        """
        return torch.contiguous_format if self._in_planes else torch.channels_last

    @property
    def _in_planes(self) -> bool:
        return self.device.type == 'cpu' and self.precision == 'bf16'

    def compiled(self, forward: Forward) -> Forward:
        """Return what a network computes, compiled; its weights stay the same tensors."""
        # Left alone, the compiler brings the channels of every convolution together.
        options: dict[str, Any] | None = {'layout_optimization': False}
        return cast(
            'Forward', torch.compile(forward, options=options if self._in_planes else None)
        )

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which the network computes."""
        dtype = {'bf16': torch.bfloat16, 'fp16': torch.float16}.get(self.precision)
        context: AbstractContextManager[None] = torch.autocast(
            self.device.type, dtype or torch.bfloat16, enabled=dtype is not None
        )
        return context


def choose_compute(device: str = 'auto', precision: str = 'auto') -> Compute:
    """
    Return what to train on.

    :param device: ``auto`` takes the GPU where there is one; else a device of torch
    :param precision: ``auto`` takes bf16 where the device has it natively, fp16 on older GPUs
    :raises ConfigError: an unknown precision, or fp16 on a CPU
    :raises RuntimeUnavailableError: the device is not on this machine
    """
    if precision not in PRECISIONS:
        raise ConfigError(
            f'precision: expected one of {", ".join(PRECISIONS)}, found {precision!r}'
        )
    has_gpu = torch.cuda.is_available()
    if device == 'auto':
        device = 'cuda' if has_gpu else 'cpu'
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ConfigError(
            f'device: expected auto, cpu, cuda or cuda:N, found {device!r}'
        ) from error
    if chosen.type == 'cuda' and (chosen.index or 0) >= torch.cuda.device_count():
        raise RuntimeUnavailableError(
            f'device {device}: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs; '
            'use --device cpu or install torch for CUDA'
        )
    if precision == 'auto':
        precision = _native_precision(chosen)
    if precision == 'fp16' and chosen.type == 'cpu':
        raise ConfigError('precision: CPUs train in fp32 or bf16, found fp16')
    if chosen.type == 'cpu':
        # Trained weights of ESPNet make denormals, which are many times slower.
        torch.set_flush_denormal(True)
    return Compute(chosen, precision)


def _native_precision(device: torch.device) -> str:
    if device.type == 'cuda':
        return 'bf16' if torch.cuda.get_device_capability(device) >= (8, 0) else 'fp16'
    return 'bf16' if device.type == 'cpu' and _cpu_has_bf16() else 'fp32'


def _cpu_has_bf16() -> bool:
    """Tell whether the CPU multiplies bfloat16 by itself (x86-64 and arm64)."""
    try:
        flags = _CPU_INFO.read_text(encoding='ascii', errors='replace')
    except OSError:
        return False
    return re.search(r'\b(avx512_bf16|amx_bf16|bf16)\b', flags) is not None
