"""The state of the machine: load, clocks, temperatures, throttling, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from espnet_ros.telemetry.cpu_load import CpuLoad, read_cpu_clock, read_memory
from espnet_ros.telemetry.file_tree import FileTree, Quantity
from espnet_ros.telemetry.jetson.board import Board, find_board
from espnet_ros.telemetry.jetson.gpu_load import read_gpu_clocks, read_gpu_load
from espnet_ros.telemetry.jetson.power_mode import PowerMode, read_power_mode
from espnet_ros.telemetry.jetson.throttling import OverCurrentCounter, read_thermal_alerts
from espnet_ros.telemetry.nvml import Nvml, NvmlGpu, open_nvml
from espnet_ros.telemetry.thermal import read_temperatures


@dataclass(frozen=True)
class DeviceState:
    """
    The machine at one time; what cannot be read is None with its reason.

    :param cpu_load_percent: mean of all cores since the last reading
    :param cpu_clock_hz: mean of all cores
    :param gpu_load_percent: share of the time in which the GPU was busy
    :param gpu_max_clock_hz: what it may go up to
    :param temperatures_c: by name, in degrees Celsius
    :param throttling: what slows the machine down now; empty for nothing, None where
        nothing tells
    :param over_current_events: since the monitor was made, by name
    """

    cpu_load_percent: Quantity
    core_loads_percent: dict[str, float]
    cpu_clock_hz: Quantity
    gpu_load_percent: Quantity
    gpu_clock_hz: Quantity
    gpu_max_clock_hz: Quantity
    gpu_clocks_locked: bool | None
    memory_used_bytes: Quantity
    memory_total_bytes: Quantity
    temperatures_c: dict[str, float] = field(default_factory=dict)
    throttling: tuple[str, ...] | None = None
    over_current_events: dict[str, int] = field(default_factory=dict)
    power_mode: PowerMode | None = None

    @property
    def hottest_c(self) -> float | None:
        return max(self.temperatures_c.values(), default=None)


class DeviceMonitor:
    """Reads the state of the machine; used from one thread at a time."""

    def __init__(self, tree: FileTree) -> None:
        self.board: Board = find_board(tree)
        self._tree = tree
        self._cpu = CpuLoad(tree)
        self._over_current = OverCurrentCounter(tree)
        self._nvml: Nvml | None = None
        self._no_nvml = 'no NVML, which only the running machine has'
        if tree.is_this_machine:
            self._nvml, self._no_nvml = open_nvml()

    def read(self) -> DeviceState:
        """Return the state now; loads are those since the last reading."""
        gpus: Sequence[NvmlGpu] = self._nvml.gpus if self._nvml else ()
        cores = self._cpu.read()
        memory = read_memory(self._tree)
        clocks = read_gpu_clocks(self._tree)
        temperatures = read_temperatures(self._tree)
        temperatures |= {g.name: t for g in gpus if (t := g.temperature().value) is not None}
        return DeviceState(
            cpu_load_percent=Quantity(fmean(cores.values()))
            if cores
            else Quantity(None, 'needs a second reading of /proc/stat'),
            core_loads_percent=cores,
            cpu_clock_hz=read_cpu_clock(self._tree),
            gpu_load_percent=self._gpu_load(gpus),
            gpu_clock_hz=clocks.now if clocks else self._of_gpu(gpus, NvmlGpu.clock),
            gpu_max_clock_hz=clocks.highest if clocks else self._of_gpu(gpus, NvmlGpu.max_clock),
            gpu_clocks_locked=clocks.are_locked if clocks else None,
            memory_used_bytes=memory.used_bytes,
            memory_total_bytes=memory.total_bytes,
            temperatures_c=temperatures,
            throttling=self._throttling(gpus),
            over_current_events=self._over_current.read(),
            power_mode=read_power_mode(self._tree),
        )

    def close(self) -> None:
        """Release what the monitor holds."""
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None

    def _throttling(self, gpus: Sequence[NvmlGpu]) -> tuple[str, ...] | None:
        told = [read_thermal_alerts(self._tree), *(gpu.throttling() for gpu in gpus)]
        known = [reasons for reasons in told if reasons is not None]
        return tuple(reason for reasons in known for reason in reasons) if known else None

    def _gpu_load(self, gpus: Sequence[NvmlGpu]) -> Quantity:
        load = read_gpu_load(self._tree)
        if load.value is not None:
            return load
        from_nvml = self._of_gpu(gpus, NvmlGpu.load)
        return from_nvml if gpus else Quantity(None, f'{load.reason}; {from_nvml.reason}')

    def _of_gpu(self, gpus: Sequence[NvmlGpu], ask: Callable[[NvmlGpu], Quantity]) -> Quantity:
        """Return a quantity of the first GPU."""
        return ask(gpus[0]) if gpus else Quantity(None, self._no_nvml)
