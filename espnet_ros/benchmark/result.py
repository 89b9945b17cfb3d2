"""What a benchmark found, as its JSON holds it; None is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
import re
from statistics import fmean

from espnet_ros.benchmark.measuring import Measured, Telemetry
from espnet_ros.benchmark.worker import ContenderInfo, OURS, PEERS
from espnet_ros.telemetry.device_state import DeviceState
from espnet_ros.telemetry.discovery import board_name
from espnet_ros.telemetry.power_sensor import NoSensor
import numpy as np
from numpy.typing import NDArray

_PERCENT = re.compile(r'(\d+(?:\.\d+)?)\s*%')


@dataclass(frozen=True)
class Protocol:
    """
    How it was measured.

    :param size: (height, width) of the image
    :param trials: of each contender, over all rounds
    :param warm_up: trials before those that count
    """

    size: tuple[int, int]
    trials: int
    warm_up: int
    rounds: int
    image: str
    batch: int = 1


@dataclass(frozen=True)
class Machine:
    """
    What was measured on, and with what.

    :param reason: why there is no power
    :param sampling_core_percent: what reading the sensor took
    """

    board: str | None
    processor: str | None
    sensor: str | None
    scope: str | None
    source: str | None
    reason: str | None
    idle_w: float | None
    sampling_core_percent: float | None
    power_mode: str | None
    gpu_clocks_locked: bool | None
    temperature_start_c: float | None
    temperature_end_c: float | None


@dataclass(frozen=True)
class Power:
    """Power and energy of a contender, of the whole and above the idle machine's."""

    measured_s: float | None
    power_w: float | None
    power_above_idle_w: float | None
    energy_per_frame_j: float | None
    energy_per_frame_above_idle_j: float | None
    fps_per_w: float | None


@dataclass(frozen=True)
class Load:
    """What the machine was doing meanwhile; CPU of processes is in percent of one core."""

    process_cpu_percent: float | None
    cpu_load_percent: float | None
    other_programs_core_percent: float | None
    gpu_load_percent: float | None
    gpu_clock_mhz: float | None
    memory_peak_bytes: int
    temperature_max_c: float | None
    throttling: list[str] | None
    over_current_events: Mapping[str, int] | None


@dataclass(frozen=True)
class BenchResult:
    """
    What one contender costs.

    :param name: what it is called in tables
    :param accuracy_percent: the first percentage of the published accuracy
    :param times_faster: than ``times_faster_than``, the slowest peer, or the slowest of all
    :param efficiency: by Nsight Compute, where that was requested
    """

    name: str
    way: str
    info: ContenderInfo
    accuracy_percent: float | None
    trials: int
    warm_up_ms: list[float | None]
    latency_ms: Mapping[str, float | None]
    inference_ms: Mapping[str, float | None]
    fps: float
    power: Power
    load: Load
    times_faster: float | None = None
    times_faster_than: str = ''
    efficiency: Mapping[str, object] | None = None

    def to_dict(self) -> dict[str, object]:
        """Return it as its JSON holds it: flat."""
        content = asdict(self)
        for part in ('info', 'power', 'load'):
            content |= content.pop(part)
        if self.efficiency is None:
            del content['efficiency']
        return content


@dataclass(frozen=True)
class Sensitivity:
    """How much the clock of the GPU matters for a contender."""

    name: str
    value: float | None
    formula: str
    latency_ms_by_mhz: Mapping[int, float]
    power_w_by_mhz: Mapping[int, float | None]


@dataclass(frozen=True)
class BenchRecord:
    """A benchmark; ``sensitivity`` is empty where it was not requested."""

    protocol: Protocol
    machine: Machine
    results: list[BenchResult]
    sensitivity: list[Sensitivity]

    def to_dict(self) -> dict[str, object]:
        content: dict[str, object] = {
            'protocol': asdict(self.protocol),
            'machine': asdict(self.machine),
            'results': [result.to_dict() for result in self.results],
        }
        sensitivity = [asdict(entry) for entry in self.sensitivity]
        return content | ({'sensitivity': sensitivity} if sensitivity else {})


def describe_machine(telemetry: Telemetry) -> Machine:
    reading = telemetry.sampler.latest
    sensor = None if isinstance(telemetry.sensor, NoSensor) else telemetry.sensor
    states = telemetry.states()
    first, last = (states[0], states[-1]) if states else (None, None)
    return Machine(
        board=board_name(telemetry.board, telemetry.sensor),
        processor=_processor(),
        sensor=sensor.kind if sensor else None,
        scope=sensor.scope if sensor else None,
        source=(reading.source or None) if reading else None,
        reason=(reading.reason or None) if reading else None,
        idle_w=rounded(telemetry.idle_w),
        sampling_core_percent=rounded(100 * telemetry.sampler.overhead),
        power_mode=str(last.power_mode) if last and last.power_mode else None,
        gpu_clocks_locked=last.gpu_clocks_locked if last else None,
        temperature_start_c=rounded(first.hottest_c if first else None, 1),
        temperature_end_c=rounded(last.hottest_c if last else None, 1),
    )


def describe_results(measured: Iterable[Measured], idle_w: float | None) -> list[BenchResult]:
    """Return what each contender costs, and how much faster it is than the slowest."""
    results = [_describe_result(entry, idle_w) for entry in measured]
    peers = [result for result in results if result.way != OURS]
    slowest = min(peers or results, key=lambda result: result.fps)
    return [
        replace(
            result,
            times_faster=rounded(result.fps / slowest.fps, 2),
            times_faster_than=slowest.name,
        )
        for result in results
    ]


def result_name(measured: Measured) -> str:
    if measured.way != OURS:
        return f'{measured.way.replace("_", " ")}: {PEERS[measured.way][2]}'
    info = measured.info
    resize = '' if info.resize == 'host' else f', resized on the {info.resize}'
    return f'{info.model} {info.runtime} {info.precision}{resize}'


def rounded(value: float | None, digits: int = 3) -> float | None:
    """Return a number without digits that nobody measured."""
    # Adding 0 makes a zero of a negative zero.
    return None if value is None else round(value, digits) + 0.0


def _describe_result(measured: Measured, idle_w: float | None) -> BenchResult:
    latencies_s = measured.latencies_s
    found = _PERCENT.search(measured.info.accuracy or '')
    return BenchResult(
        name=result_name(measured),
        way=measured.way,
        info=measured.info,
        accuracy_percent=float(found[1]) if found else None,
        trials=len(latencies_s),
        warm_up_ms=[rounded(1e3 * value, 2) for value in measured.warm_up_s],
        latency_ms=_statistics_ms(latencies_s),
        inference_ms=_statistics_ms(measured.inferences_s),
        fps=round(1 / float(latencies_s.mean()), 3),
        power=_describe_power(measured, idle_w),
        load=_describe_load(measured),
    )


def _describe_power(measured: Measured, idle_w: float | None) -> Power:
    power_w, above_w = measured.energy.mean_power_w, measured.energy.above(idle_w)
    frame_s = measured.duration_s / len(measured.latencies_s)
    frame_j, above_j = (None if w is None else w * frame_s for w in (power_w, above_w))
    return Power(
        measured_s=rounded(measured.duration_s, 1),
        power_w=rounded(power_w),
        power_above_idle_w=rounded(above_w),
        energy_per_frame_j=rounded(frame_j, 6),
        energy_per_frame_above_idle_j=rounded(above_j, 6),
        fps_per_w=rounded(1 / frame_j) if frame_j else None,
    )


def _describe_load(measured: Measured) -> Load:
    states = measured.states
    own_percent = 100 * sum(block.cpu_s for block in measured.blocks) / measured.duration_s
    taken = _mean(states, lambda state: sum(state.core_loads_percent.values()) or None)
    throttling = [state.throttling for state in states if state.throttling is not None]
    hottest_c = [state.hottest_c for state in states if state.hottest_c is not None]
    return Load(
        process_cpu_percent=rounded(own_percent, 1),
        cpu_load_percent=_mean(states, lambda state: state.cpu_load_percent.value),
        other_programs_core_percent=(
            None if taken is None else rounded(max(taken - own_percent, 0.0), 1)
        ),
        gpu_load_percent=_mean(states, lambda state: state.gpu_load_percent.value),
        gpu_clock_mhz=_mean(states, _gpu_clock_mhz),
        memory_peak_bytes=max(block.peak_memory_bytes for block in measured.blocks),
        temperature_max_c=max(hottest_c, default=None),
        throttling=sorted({one for each in throttling for one in each}) if throttling else None,
        over_current_events=measured.over_current_events or None,
    )


def _statistics_ms(seconds: NDArray[np.float64]) -> dict[str, float | None]:
    p50, p99 = np.percentile(seconds, (50, 99))
    values = {'mean': seconds.mean(), 'p50': p50, 'p99': p99, 'min': seconds.min()}
    return {name: rounded(1e3 * float(value)) for name, value in values.items()}


def _mean(
    states: Iterable[DeviceState], pick: Callable[[DeviceState], float | None]
) -> float | None:
    known = [value for state in states if (value := pick(state)) is not None]
    return rounded(fmean(known), 1) if known else None


def _gpu_clock_mhz(state: DeviceState) -> float | None:
    clock_hz = state.gpu_clock_hz.value
    return None if clock_hz is None else clock_hz * 1e-6


def _processor() -> str | None:
    try:
        text = Path('/proc/cpuinfo').read_text(errors='replace')
    except OSError:
        return None
    names = re.findall(r'^(?:model name|Model|Hardware)\s*:\s*(.+)$', text, re.MULTILINE)
    return f'{names[0]}, {text.count("processor	")} cores' if names else None
