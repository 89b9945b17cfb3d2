"""What a benchmark found, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
import re
from statistics import fmean
from typing import Any

from espnet_ros.cli.jobs._bench_run import Measured, Telemetry
from espnet_ros.cli.jobs._bench_worker import OURS, PEERS
from espnet_ros.cli.jobs._power_record import board_name, rounded
from espnet_ros.telemetry.device_state import DeviceState
from espnet_ros.telemetry.power_sensor import NoSensor
import numpy as np
from numpy.typing import NDArray

_PERCENT = re.compile(r'(\d+(?:\.\d+)?)\s*%')


def describe_machine(telemetry: Telemetry) -> dict[str, Any]:
    """Return what was measured on, and with what."""
    reading = telemetry.sampler.latest
    has_sensor = not isinstance(telemetry.sensor, NoSensor)
    states = telemetry.states()
    mode = states[-1].power_mode if states else None
    return {
        'board': board_name(telemetry.board, telemetry.sensor),
        'processor': _processor(),
        'sensor': telemetry.sensor.kind if has_sensor else None,
        'scope': telemetry.sensor.scope if has_sensor else None,
        'source': (reading.source or None) if reading else None,
        'reason': (reading.reason or None) if reading else None,
        'idle_w': rounded(telemetry.idle.mean_power_w if telemetry.idle else None),
        'sampling_core_percent': rounded(100 * telemetry.sampler.overhead),
        'power_mode': None if mode is None else str(mode),
        'gpu_clocks_locked': states[-1].gpu_clocks_locked if states else None,
        'temperature_start_c': rounded(states[0].hottest_c, 1) if states else None,
        'temperature_end_c': rounded(states[-1].hottest_c, 1) if states else None,
    }


def describe_result(measured: Measured, idle_w: float | None) -> dict[str, Any]:
    """Return what one contender costs; null stands for what is not known."""
    info, latencies_s = measured.info, measured.latencies_s
    return {
        'name': result_name(measured),
        'model': info.model,
        'way': measured.way,
        'runtime': info.runtime,
        'precision': info.precision,
        'resize': info.resize,
        'device': info.device,
        'parameters': info.parameters,
        'file_bytes': info.file_bytes,
        'accuracy': info.accuracy or None,
        'accuracy_percent': _percent(info.accuracy),
        'trials': len(latencies_s),
        'open_s': rounded(info.open_s),
        'warm_up_ms': [rounded(1e3 * value, 2) for value in measured.warm_up_s],
        'latency_ms': _statistics_ms(latencies_s),
        'inference_ms': _statistics_ms(measured.inferences_s),
        'fps': rounded(1 / float(latencies_s.mean())),
        **_describe_power(measured, idle_w),
        **_describe_load(measured),
    }


def _describe_power(measured: Measured, idle_w: float | None) -> dict[str, Any]:
    """Return power and energy, of the whole and above the idle machine's."""
    power_w, above_w = measured.energy.mean_power_w, measured.energy.above(idle_w)
    frame_s = measured.duration_s / len(measured.latencies_s)
    frame_j, above_j = (None if w is None else w * frame_s for w in (power_w, above_w))
    return {
        'measured_s': rounded(measured.duration_s, 1),
        'power_w': rounded(power_w),
        'power_above_idle_w': rounded(above_w),
        'energy_per_frame_j': rounded(frame_j, 6),
        'energy_per_frame_above_idle_j': rounded(above_j, 6),
        'fps_per_w': rounded(None if not frame_j else 1 / frame_j),
    }


def _describe_load(measured: Measured) -> dict[str, Any]:
    """Return what the machine was doing meanwhile."""
    states = measured.states
    own_percent = 100 * sum(block.cpu_s for block in measured.blocks) / measured.duration_s
    throttling = [state.throttling for state in states if state.throttling is not None]
    return {
        'process_cpu_percent': rounded(own_percent, 1),
        'cpu_load_percent': _mean(states, lambda state: state.cpu_load_percent.value),
        'other_programs_core_percent': _others(states, own_percent),
        'gpu_load_percent': _mean(states, lambda state: state.gpu_load_percent.value),
        'gpu_clock_mhz': _mean(states, _gpu_clock_mhz),
        'memory_peak_bytes': max(block.peak_memory_bytes for block in measured.blocks),
        'temperature_max_c': max(
            (state.hottest_c for state in states if state.hottest_c is not None), default=None
        ),
        'throttling': sorted({reason for reasons in throttling for reason in reasons})
        if throttling
        else None,
        'over_current_events': measured.over_current_events or None,
    }


def result_name(measured: Measured) -> str:
    """Return what a contender is called in tables."""
    if measured.way != OURS:
        return f'{measured.way.replace("_", " ")}: {PEERS[measured.way][2]}'
    info = measured.info
    resize = '' if info.resize == 'host' else f', resized on the {info.resize}'
    return f'{info.model} {info.runtime} {info.precision}{resize}'


def add_ratios(results: list[dict[str, Any]]) -> None:
    """Add how much faster than the slowest peer each is, or than the slowest of all."""
    peers = [result for result in results if result['way'] != OURS]
    slowest = min(peers or results, key=lambda result: result['fps'])
    for result in results:
        result['times_faster'] = rounded(result['fps'] / slowest['fps'], 2)
        result['times_faster_than'] = slowest['name']


def _statistics_ms(seconds: NDArray[np.float64]) -> dict[str, float | None]:
    p50, p99 = np.percentile(seconds, (50, 99))
    values = {'mean': seconds.mean(), 'p50': p50, 'p99': p99, 'min': seconds.min()}
    return {name: rounded(1e3 * float(value)) for name, value in values.items()}


def _mean(
    states: Iterable[DeviceState], pick: Callable[[DeviceState], float | None]
) -> float | None:
    known = [value for state in states if (value := pick(state)) is not None]
    return rounded(fmean(known), 1) if known else None


def _others(states: list[DeviceState], own_percent: float) -> float | None:
    """Return what other programs took meanwhile, in percent of one core."""
    taken = _mean(states, lambda state: sum(state.core_loads_percent.values()) or None)
    return None if taken is None else rounded(max(taken - own_percent, 0.0), 1)


def _gpu_clock_mhz(state: DeviceState) -> float | None:
    clock_hz = state.gpu_clock_hz.value
    return None if clock_hz is None else clock_hz * 1e-6


def _percent(accuracy: str) -> float | None:
    """Return the first percentage of an accuracy in words."""
    found = _PERCENT.search(accuracy)
    return float(found[1]) if found else None


def _processor() -> str | None:
    """Return the processor's name."""
    try:
        text = Path('/proc/cpuinfo').read_text(errors='replace')
    except OSError:
        return None
    names = re.findall(r'^(?:model name|Model|Hardware)\s*:\s*(.+)$', text, re.MULTILINE)
    return f'{names[0]}, {text.count("processor	")} cores' if names else None
