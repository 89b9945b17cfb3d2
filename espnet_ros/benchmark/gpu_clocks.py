"""
Fixing the clock of the GPU, for the sensitivity of the paper's section 4.1.

Where the rights are missing, the user is told what to run, and the clock is waited for: a
requested clock is always checked, since boards round and cap it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
import threading

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.jetson.gpu_load import find_devfreq

FORMULA = '((t1 - t2) / t1) / ((f2 - f1) / f1)'

_NEAR = 0.02
_MHZ = 1_000_000


def parse_clocks(text: str) -> tuple[int, ...]:
    """
    Read two or more clocks in MHz, lowest first.

    :raises ConfigError: other text
    """
    parts = [part.strip() for part in text.split(',')]
    if len(parts) < 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise ConfigError(f'--gpu-clocks: expected two or more clocks in MHz, found {text!r}')
    if len(set(parts)) < len(parts):
        raise ConfigError(f'--gpu-clocks: expected different clocks, found {text!r}')
    return tuple(sorted(int(part) for part in parts))


def sensitivity(times_s: dict[int, float]) -> float | None:
    """
    Return by what share the time falls when the clock rises by a share; 1 is clock-bound.

    :param times_s: mean latency by clock in MHz
    """
    low, high = min(times_s), max(times_s)
    if low == high or not times_s[low]:
        return None
    return ((times_s[low] - times_s[high]) / times_s[low]) / ((high - low) / low)


class GpuClockLock:
    """
    Fixes the clock of a Jetson's GPU, and frees it when the context ends.

    :raises RuntimeUnavailableError: there is no GPU whose clock can be fixed here
    """

    def __init__(self, tree: FileTree) -> None:
        folder = find_devfreq(tree)
        if folder is None:
            raise RuntimeUnavailableError(
                '--gpu-clocks: expected a Jetson GPU under /sys/class/devfreq, found none; on a '
                'graphics card run "sudo nvidia-smi -lgc MHZ" before each of two benchmarks'
            )
        self._tree = tree
        self._folder = folder
        self._before = [self._read(name) for name in ('min_freq', 'max_freq')]

    def __enter__(self) -> GpuClockLock:
        return self

    def __exit__(self, *_: object) -> None:
        lowest, highest = self._before
        with suppress(OSError):
            self._write(lowest, highest)

    def fix(self, clock_mhz: int, ask: Callable[[str], None] | None = None) -> None:
        """
        Fix the clock, or have the user do it.

        :param ask: asks the user to run a command, which is waited for; None where nobody is
            there
        :raises RuntimeUnavailableError: it cannot be fixed, and nobody is there to do it
        """
        with suppress(OSError):
            self._write(clock_mhz * _MHZ, clock_mhz * _MHZ)
        if self._is_fixed(clock_mhz):
            return
        command = (
            f'for f in max_freq min_freq max_freq; do echo {clock_mhz * _MHZ} | '
            f'sudo tee {self._folder}/$f; done'
        )
        if ask is None:
            raise RuntimeUnavailableError(
                f'--gpu-clocks: the clock cannot be fixed at {clock_mhz} MHz from here (see '
                f'available_frequencies); run as root, or in a terminal with: {command}'
            )
        ask(command)
        waiting = threading.Event()
        while not self._is_fixed(clock_mhz):
            waiting.wait(0.5)

    def _is_fixed(self, clock_mhz: int) -> bool:
        limits = [self._read(name) for name in ('min_freq', 'max_freq')]
        wanted = clock_mhz * _MHZ
        return all(abs(limit - wanted) <= _NEAR * wanted for limit in limits)

    def _read(self, name: str) -> float:
        return self._tree.number(self._folder / name).value or 0.0

    def _write(self, lowest: float, highest: float) -> None:
        """Write both limits, in an order in which the lower one is never above the other."""
        raising = highest >= self._read('max_freq')
        order = [('max_freq', highest), ('min_freq', lowest)]
        for name, value in order if raising else reversed(order):
            Path(self._folder / name).write_text(f'{int(value)}\n')
