"""
NVIDIA's management library: power, energy, load, clocks and temperatures of its GPUs.

On Jetson it is missing or answers nearly nothing; their files are read instead, and only
Thor's load comes from here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
import time
from typing import Any

from espnet_ros.telemetry.file_tree import Quantity
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading

INSTALL_HINT = "NVML is not installed (pip install 'espnet-ros[nvml]')"

# Codes of NVML: not supported, function not found (older driver), no data; card lost, reset.
_NEVER = (3, 13, 21)
_LOST = (15, 16)

_THROTTLING = {
    0x4: 'power cap',
    0x8: 'hardware slowdown',
    0x20: 'thermal (software)',
    0x40: 'thermal (hardware)',
    0x80: 'power brake',
}
"""Clock event reasons that make a GPU slower; idle and user settings are none."""


class NvmlGpu:
    """
    One GPU.

    A value that the card does not have is requested once and never again.

    :param nvml: the module ``pynvml``
    :param index: of the GPU in NVML's order, which is not CUDA's
    """

    def __init__(self, nvml: Any, handle: Any, index: int) -> None:
        self._nvml = nvml
        self._handle = handle
        self._given_up: dict[str, str] = {}
        self.index = index
        name, _ = self._ask('nvmlDeviceGetName')
        text = name.decode() if isinstance(name, bytes) else name
        self.name = f'GPU {index} {text}' if text else f'GPU {index}'

    def power(self) -> Quantity:
        """Return the power of the card in watts; on most cards the mean of a second."""
        return self._number(1e-3, 'nvmlDeviceGetPowerUsage')

    def energy(self) -> Quantity:
        """Return the energy since the driver was loaded, in joules (Volta and later)."""
        return self._number(1e-3, 'nvmlDeviceGetTotalEnergyConsumption')

    def load(self) -> Quantity:
        """Return the percentage of the time in which it was busy."""
        return self._number(1.0, 'nvmlDeviceGetUtilizationRates', attribute='gpu')

    def clock(self) -> Quantity:
        """Return the clock of its processors in Hz."""
        return self._number(1e6, 'nvmlDeviceGetClockInfo', 1)

    def max_clock(self) -> Quantity:
        return self._number(1e6, 'nvmlDeviceGetMaxClockInfo', 1)

    def temperature(self) -> Quantity:
        return self._number(1.0, 'nvmlDeviceGetTemperature', 0)

    def throttling(self) -> tuple[str, ...] | None:
        """Return what makes it slower now, or None where the card does not tell."""
        reasons = self._number(1.0, 'nvmlDeviceGetCurrentClocksEventReasons')
        if reasons.value is None:
            reasons = self._number(1.0, 'nvmlDeviceGetCurrentClocksThrottleReasons')
        if reasons.value is None:
            return None
        bits = int(reasons.value)
        return tuple(f'{self.name}: {text}' for bit, text in _THROTTLING.items() if bits & bit)

    def _number(
        self, factor: float, function: str, *arguments: Any, attribute: str = ''
    ) -> Quantity:
        answer, reason = self._ask(function, *arguments)
        if answer is None:
            return Quantity(None, reason)
        return Quantity(float(getattr(answer, attribute) if attribute else answer) * factor)

    def _ask(self, function: str, *arguments: Any) -> tuple[Any, str]:
        """Return what a function answers, or None and why it does not."""
        if function in self._given_up:
            return None, self._given_up[function]
        call: Callable[..., Any] | None = getattr(self._nvml, function, None)
        if call is None:
            return None, f'{function}: not in this version of nvidia-ml-py'
        try:
            return call(self._handle, *arguments), ''
        except self._nvml.NVMLError as error:
            reason = str(error)
            if error.value in _NEVER:
                self._given_up[function] = reason
            elif error.value in _LOST:
                self._give_up_everything(reason)
            return None, reason

    def _give_up_everything(self, reason: str) -> None:
        """Ask a card that fell off the bus nothing more."""
        for function in dir(self._nvml):
            if function.startswith('nvmlDevice'):
                self._given_up[function] = reason


class Nvml:
    def __init__(self, nvml: Any, gpus: tuple[NvmlGpu, ...]) -> None:
        self._nvml = nvml
        self.gpus = gpus

    def close(self) -> None:
        self._nvml.nvmlShutdown()


def open_nvml() -> tuple[Nvml | None, str]:
    """Return the library with its GPUs, or None and why it cannot be had."""
    try:
        nvml = import_module('pynvml')
    except ImportError:
        return None, INSTALL_HINT
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, f'NVML cannot be used: {error}'
    gpus = []
    try:
        for index in range(nvml.nvmlDeviceGetCount()):
            gpus.append(NvmlGpu(nvml, nvml.nvmlDeviceGetHandleByIndex(index), index))
    except nvml.NVMLError as error:
        nvml.nvmlShutdown()
        return None, f'NVML cannot be used: {error}'
    if not gpus:
        nvml.nvmlShutdown()
        return None, 'NVML lists no GPU'
    return Nvml(nvml, tuple(gpus)), ''


class NvmlSensor(PowerSensor):
    """
    Reads the power of NVIDIA cards, their memory included and the host excluded.

    The hardware's own energy counter is used where there is one.

    :param nvml: the library, opened; it is closed with the sensor
    """

    kind = 'nvml'
    scope = 'gpu'

    def __init__(self, nvml: Nvml) -> None:
        self._nvml = nvml
        self._opened_j = [gpu.energy().value for gpu in nvml.gpus]

    def read(self) -> PowerReading:
        """Return the power of every card and their sum."""
        rails, energies_j = [], list[float]()
        for gpu, opened_j in zip(self._nvml.gpus, self._opened_j, strict=True):
            power = gpu.power()
            rails.append(RailReading(gpu.name, power.value, power.reason))
            energy_j = gpu.energy().value
            if energy_j is not None and opened_j is not None:
                energies_j.append(energy_j - opened_j)
        total_w, reason = add_up(tuple(rails))
        return PowerReading(
            time_s=time.monotonic(),
            sensor=self.kind,
            scope=self.scope,
            source='+'.join(rail.name for rail in rails),
            total_w=total_w,
            rails=tuple(rails),
            energy_j=sum(energies_j) if len(energies_j) == len(rails) else None,
            reason=reason,
        )

    def close(self) -> None:
        self._nvml.close()
