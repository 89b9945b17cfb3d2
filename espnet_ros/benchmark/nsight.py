"""
Warp execution and memory efficiency, by NVIDIA Nsight Compute.

Profiling repeats every kernel many times, which destroys times and power, so it is a run of
its own. The paper used nvprof; these are the metrics that took the place of its own.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys

from espnet_ros.benchmark.worker import ContenderInfo

DURATION = 'gpu__time_duration.sum'
METRICS = {
    'warp_execution_efficiency': (
        'smsp__thread_inst_executed_per_inst_executed.ratio',
        100 / 32,
    ),
    'global_load_efficiency': (
        'smsp__sass_average_data_bytes_per_sector_mem_global_op_ld.pct',
        1.0,
    ),
    'global_store_efficiency': (
        'smsp__sass_average_data_bytes_per_sector_mem_global_op_st.pct',
        1.0,
    ),
    'shared_memory_efficiency': (
        'smsp__sass_average_data_bytes_per_wavefront_mem_shared.pct',
        1.0,
    ),
}
"""By name: the metric of Nsight Compute, and the factor to percent."""

_LIMIT_S = 1800.0


def profile(info: ContenderInfo, model: str, size: tuple[int, int]) -> dict[str, object]:
    """Return the efficiencies in percent, null with the reason where they cannot be had."""
    unknown: dict[str, object] = dict.fromkeys(METRICS)
    program = shutil.which('ncu')
    if program is None:
        return unknown | {'reason': 'Nsight Compute (ncu) is not installed'}
    names = ','.join([DURATION, *(metric for metric, _ in METRICS.values())])
    command = [program, '--csv', '--page', 'raw', '--metrics', names, '--target-processes', 'all']
    contender = f'{model}@{info.runtime}:{info.precision}:{info.resize}'
    command += [sys.executable, '-m', 'espnet_ros.benchmark.worker', contender]
    command += list(map(str, size))
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return unknown | {'reason': f'ncu took more than {_LIMIT_S:.0f} s'}
    if 'ERR_NVGPUCTRPERM' in ended.stdout + ended.stderr:
        return unknown | {
            'reason': 'profiling is for root only; set NVreg_RestrictProfilingToAdminUsers=0'
        }
    found = parse(ended.stdout)
    if found is None:
        words = ' '.join((ended.stderr or ended.stdout).split())[-200:]
        return unknown | {'reason': f'ncu reported no kernel: {words}'}
    return found | {'reason': None}


def parse(text: str) -> dict[str, object] | None:
    """
    Return the efficiencies of all kernels together, each weighed by its time.

    :param text: what ``ncu --csv --page raw`` wrote
    :return: None where it lists no kernel
    """
    lines = text.splitlines()
    begin = next((n for n, line in enumerate(lines) if line.startswith('"ID"')), None)
    if begin is None:
        return None
    # The row behind the names holds the units.
    kernels = list(csv.DictReader(lines[begin:]))[1:]
    found: dict[str, object] = {}
    for name, (metric, factor) in METRICS.items():
        pairs = [
            (_number(kernel.get(DURATION)), _number(kernel.get(metric))) for kernel in kernels
        ]
        known = [(time, value) for time, value in pairs if time is not None and value is not None]
        total = sum(time for time, _ in known)
        mean = sum(time * value for time, value in known) / total if total else None
        found[name] = None if mean is None else round(factor * mean, 2)
    return found if kernels else None


def _number(text: str | None) -> float | None:
    try:
        return float((text or '').replace(',', ''))
    except ValueError:
        return None
