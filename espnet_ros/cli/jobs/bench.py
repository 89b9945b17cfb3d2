"""Measures what models cost, in time, power and energy."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
import json
from typing import Any

from espnet_ros.cli import _exit
from espnet_ros.cli._options import given, read_options
from espnet_ros.cli.jobs import _bench_node, _bench_plot, _gpu_clocks, _ncu
from espnet_ros.cli.jobs._bench_node_view import print_node
from espnet_ros.cli.jobs._bench_record import add_ratios, describe_machine, describe_result
from espnet_ros.cli.jobs._bench_run import measure, Measured, Telemetry
from espnet_ros.cli.jobs._bench_view import print_bench
from espnet_ros.cli.jobs._bench_worker import Contender, OURS, PEERS
from espnet_ros.cli.jobs._contender import parse_contender
from espnet_ros.cli.jobs._output import write_json
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.resize import resize_image
from espnet_ros.sources import Frame, open_source
from espnet_ros.telemetry.file_tree import FileTree
import numpy as np
from numpy.typing import NDArray

PROTOCOL_SIZE = (512, 1024)


def run(arguments: argparse.Namespace) -> int:
    """Measure what ``arguments`` name; return the exit code."""
    if not arguments.root.is_dir():
        raise ConfigError(f'--root {arguments.root}: expected a folder, found none')
    if arguments.node:
        result = _bench_node.run(arguments)
        if not _is_json_output(arguments, asdict(result)):
            print_node(result)
        return _exit.DONE
    _bench_node.refuse_options(arguments)
    arguments.size = arguments.size or PROTOCOL_SIZE
    contenders = _contenders(arguments)
    image_bgr = _open_image(arguments)
    telemetry = Telemetry(arguments.sensor, FileTree(arguments.root), arguments.rate)
    with telemetry:
        telemetry.measure_idle(arguments.idle)
        if arguments.gpu_clocks is None:
            measured = _measure(arguments, contenders, image_bgr, telemetry)
            extra: dict[str, Any] = {}
        else:
            measured, extra = _measure_at_clocks(arguments, contenders, image_bgr, telemetry)
    record = _record(arguments, contenders, measured, telemetry) | extra
    if arguments.plot is not None:
        axes = _bench_plot.parse_axes(arguments.plot_axes, record['results'])
        _bench_plot.draw(record['results'], axes, arguments.plot)
    if not _is_json_output(arguments, record):
        print_bench(record)
    return _exit.DONE


def _contenders(arguments: argparse.Namespace) -> list[Contender]:
    """Return what is measured, peers last."""
    foreign = read_options(arguments, ForeignModelSettings)
    common = read_options(arguments, RuntimeSettings)
    contenders = []
    for text in arguments.models or ['auto']:
        asked = parse_contender(text)
        if given(arguments, RuntimeSettings).keys() & asked.names:
            raise ConfigError(
                f'{text}: expected {" and ".join(sorted(asked.names))} either behind the @ or as '
                'options'
            )
        settings = asked.settings(common)
        contenders.append(Contender(asked.model, settings, foreign, OURS, arguments.size))
    if arguments.peers:
        first = contenders[0]
        contenders += [replace(first, way=way) for way in PEERS]
    return contenders


def _open_image(arguments: argparse.Namespace) -> NDArray[np.uint8]:
    """Return the image that is segmented, of the size that is asked for."""
    if arguments.image is None:
        with open_source('synthetic', size=arguments.size) as source:
            for frame in source:
                if isinstance(frame, Frame):
                    return frame.image_bgr
        raise InputError('the rendered street gave no image')
    image_bgr = decode_image(arguments.image.read_bytes())
    resized = np.empty((*arguments.size, 3), np.uint8)
    resize_image(image_bgr, resized)
    return resized


def _measure(
    arguments: argparse.Namespace,
    contenders: list[Contender],
    image_bgr: NDArray[np.uint8],
    telemetry: Telemetry,
) -> list[Measured]:
    return measure(
        contenders,
        image_bgr,
        telemetry,
        trials=arguments.trials,
        warm_up=arguments.warm_up,
        rounds=arguments.rounds,
    )


def _measure_at_clocks(
    arguments: argparse.Namespace,
    contenders: list[Contender],
    image_bgr: NDArray[np.uint8],
    telemetry: Telemetry,
) -> tuple[list[Measured], dict[str, Any]]:
    """Return what was measured at the highest clock, and how much the clock matters."""
    clocks = _gpu_clocks.parse_clocks(arguments.gpu_clocks)
    by_clock: dict[int, list[Measured]] = {}
    with _gpu_clocks.GpuClockLock(FileTree(arguments.root)) as lock:
        for clock_mhz in clocks:
            lock.fix(clock_mhz)
            by_clock[clock_mhz] = _measure(arguments, contenders, image_bgr, telemetry)
    entries = []
    for n, last in enumerate(by_clock[clocks[-1]]):
        times_s = {mhz: float(found[n].latencies_s.mean()) for mhz, found in by_clock.items()}
        idle_w = telemetry.idle.mean_power_w if telemetry.idle else None
        entries.append(
            {
                'name': describe_result(last, idle_w)['name'],
                'value': _gpu_clocks.sensitivity(times_s),
                'formula': _gpu_clocks.FORMULA,
                'latency_ms_by_mhz': {mhz: 1e3 * value for mhz, value in times_s.items()},
                'power_w_by_mhz': {mhz: m[n].energy.mean_power_w for mhz, m in by_clock.items()},
            }
        )
    return by_clock[clocks[-1]], {'sensitivity': entries}


def _record(
    arguments: argparse.Namespace,
    contenders: list[Contender],
    measured: list[Measured],
    telemetry: Telemetry,
) -> dict[str, Any]:
    idle_w = telemetry.idle.mean_power_w if telemetry.idle else None
    results = [describe_result(entry, idle_w) for entry in measured]
    add_ratios(results)
    if arguments.ncu:
        for contender, entry, result in zip(contenders, measured, results, strict=True):
            result['efficiency'] = _ncu.profile(entry, contender.model, arguments.size)
    return {
        'protocol': {
            'batch': 1,
            'size': list(arguments.size),
            'trials': arguments.trials,
            'warm_up': arguments.warm_up,
            'rounds': min(arguments.rounds, arguments.trials),
            'image': str(arguments.image or 'rendered street'),
        },
        'machine': describe_machine(telemetry),
        'results': results,
    }


def _is_json_output(arguments: argparse.Namespace, record: dict[str, Any]) -> bool:
    """Write JSON where that is asked for; return whether it went to standard output."""
    if arguments.json is None:
        return False
    if str(arguments.json) == '-':
        print(json.dumps(record, indent=2))
        return True
    write_json(arguments.json, record)
    return False
