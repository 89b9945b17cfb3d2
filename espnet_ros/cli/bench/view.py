"""What a benchmark found, as tables on the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from espnet_ros.benchmark.result import BenchRecord, BenchResult
from espnet_ros.cli.console import make_table, OUT, UNAVAILABLE

_DISTURBING_PERCENT = 30.0
_TRUSTED_S = 30.0

_COLUMNS: tuple[tuple[str, Callable[[BenchResult], Any], str], ...] = (
    ('FPS', lambda r: r.fps, '.2f'),
    ('ratio', lambda r: r.times_faster, '.2f'),
    ('mean ms', lambda r: r.latency_ms['mean'], '.1f'),
    ('p50', lambda r: r.latency_ms['p50'], '.1f'),
    ('p99', lambda r: r.latency_ms['p99'], '.1f'),
    ('inference', lambda r: r.inference_ms['mean'], '.1f'),
    ('W', lambda r: r.power.power_w, '.2f'),
    ('W above idle', lambda r: r.power.power_above_idle_w, '.2f'),
    ('J/frame', lambda r: r.power.energy_per_frame_j, '.3f'),
    ('FPS/W', lambda r: r.power.fps_per_w, '.2f'),
    ('CPU %', lambda r: r.load.process_cpu_percent, '.0f'),
    ('GPU %', lambda r: r.load.gpu_load_percent, '.0f'),
    ('MiB', lambda r: r.load.memory_peak_bytes / 2**20, '.0f'),
    ('parameters', lambda r: r.info.parameters, ',d'),
    ('file MB', lambda r: r.info.file_bytes / 1e6, '.1f'),
)


def print_bench(record: BenchRecord) -> None:
    results = record.results
    known = [c for c in _COLUMNS if any(c[1](result) is not None for result in results)]
    unknown = [title for title, pick, form in _COLUMNS if (title, pick, form) not in known]
    table = make_table('', *(title for title, _, _ in known))
    for result in results:
        table.add_row(result.name, *(shown(pick(result), form) for _, pick, form in known))
    OUT.print(table)
    OUT.print()
    _print_notes(record, unknown)


def _print_notes(record: BenchRecord, unknown: list[str]) -> None:
    protocol = record.protocol
    height, width = protocol.size
    slowest = record.results[0].times_faster_than
    OUT.print(
        f'{protocol.trials} trials of one {width}x{height} image each, in '
        f'{protocol.rounds} turns, after {protocol.warm_up} to warm up; latency is image '
        f'to mask, CPU % is of one core.\nRatio: frames per second, relative to "{slowest}".',
        markup=False,
    )
    for result in record.results:
        warm_up = result.warm_up_ms
        OUT.print(
            f'{result.name}: opened in {result.info.open_s:.1f} s on {result.info.device}, first '
            f'frame {warm_up[0]:.0f} ms, last of the warm-up {warm_up[-1]:.0f} ms',
            markup=False,
            style='dim',
        )
    print_disturbance(max(r.load.other_programs_core_percent or 0.0 for r in record.results))
    if unknown:
        OUT.print(f'{UNAVAILABLE}: {", ".join(unknown)}', markup=False)
    _print_power_notes(record)
    for entry in record.sensitivity:
        OUT.print(
            f'sensitivity to the GPU clock of {entry.name}: {shown(entry.value, ".2f")} '
            f'({entry.formula})',
            markup=False,
        )


def _print_power_notes(record: BenchRecord) -> None:
    """Print what formed the power, and what stands against trusting it."""
    machine = record.machine
    if machine.reason:
        OUT.print(f'power: {machine.reason}', markup=False, style='yellow')
    elif machine.source:
        idle = shown(machine.idle_w, '.2f')
        where = f'{machine.scope}, {machine.source}'
        OUT.print(f'power: {where}; idle {idle} W', markup=False)
        shortest_s = min((result.power.measured_s or 0.0) for result in record.results)
        if shortest_s < _TRUSTED_S:
            OUT.print(
                f'Power was measured for {shortest_s:.0f} s; a mean needs {_TRUSTED_S:.0f} s or '
                'more: raise --trials.',
                markup=False,
                style='yellow',
            )
    if machine.gpu_clocks_locked is False:
        OUT.print(
            'The clock of the GPU was free to change; fix it with sudo jetson_clocks, or '
            'measure with --gpu-clocks.',
            markup=False,
            style='yellow',
        )


def print_disturbance(core_percent: float | None) -> None:
    """Warn where other programs took so much of a core that the figures are doubtful."""
    if core_percent is not None and core_percent > _DISTURBING_PERCENT:
        OUT.print(
            f'Other programs took up to {core_percent:.0f} % of a core meanwhile; measure again '
            'on a quiet machine.',
            markup=False,
            style='yellow',
        )


def shown(value: Any, form: str) -> str:
    if value is None:
        return UNAVAILABLE
    return f'{value:{form}}' if isinstance(value, (int, float)) else str(value)
