"""What a benchmark of the nodes found, as tables on the console."""

from __future__ import annotations

from collections.abc import Iterable

from espnet_ros.benchmark.node_result import Flow, NodeResult, OutputRate, ProcessLoad
from espnet_ros.cli.bench.view import print_disturbance, shown
from espnet_ros.cli.console import make_table, OUT


def print_node(result: NodeResult) -> None:
    OUT.print(_headline(result), markup=False)
    OUT.print()
    _print_flows(result.flows)
    if result.outputs:
        _print_outputs(result.outputs)
    _print_processes(result.processes)
    _print_notes(result)


def _headline(result: NodeResult) -> str:
    rate_hz = result.camera_rate_hz
    parts = [
        result.image,
        f'{rate_hz:g} per second' if rate_hz else 'the next when one is done',
        f'measured for {result.measured_s:g} s',
    ]
    if result.runtime is not None:
        stand_in_ms = result.device_latency_ms
        how = f'{result.runtime} {result.precision}'
        parts.insert(0, how if stand_in_ms is None else f'stand-in of {stand_in_ms:g} ms')
    return ', '.join(parts)


def _print_flows(flows: Iterable[Flow]) -> None:
    table = make_table('', 'sent/s', 'out/s', 'ratio', 'p50 ms', 'p90 ms', 'p99 ms')
    for title in ('lost before', 'dropped in', 'failed in', 'lost after'):
        table.add_column(title, justify='right')
    for flow in flows:
        drops = flow.drops
        table.add_row(
            f'{flow.node} {flow.camera}'.strip(),
            shown(flow.sent_rate_hz, '.1f'),
            shown(flow.rate_hz, '.1f'),
            shown(flow.ratio, '.2f'),
            *_latencies(flow),
            *(str(n) for n in (drops.before_node, drops.in_node, drops.failed, drops.after_node)),
        )
    OUT.print(table)
    OUT.print()


def _print_outputs(outputs: Iterable[OutputRate]) -> None:
    table = make_table('beside', 'out/s', 'p50 ms', 'p90 ms', 'p99 ms')
    for output in outputs:
        table.add_row(output.topic, shown(output.rate_hz, '.1f'), *_latencies(output))
    OUT.print(table)
    OUT.print()


def _print_processes(processes: Iterable[ProcessLoad]) -> None:
    table = make_table('process', 'CPU %', 'CPU ms/frame', 'MB', 'MB grown')
    for load in processes:
        table.add_row(
            load.name,
            shown(load.core_percent, '.1f'),
            shown(load.cpu_per_frame_ms, '.2f'),
            shown(load.memory_mb, '.1f'),
            shown(load.memory_growth_mb, '.1f'),
        )
    OUT.print(table)
    OUT.print()


def _print_notes(result: NodeResult) -> None:
    OUT.print(
        'Latency is from the publication of the image to the arrival; CPU % is of one core; '
        'counts are of the run, its first second included.',
        markup=False,
    )
    if result.best_rate_hz is not None:
        OUT.print(
            f'Ratio: to the {result.best_rate_hz:g} per second of the device alone.', markup=False
        )
    if result.stages_ms:
        stages = (f'{name} {shown(value, ".2f")}' for name, value in result.stages_ms.items())
        OUT.print(f'medians of the node, ms: {", ".join(stages)}', markup=False)
    if result.runtime is not None:
        OUT.print(
            f'power: {shown(result.power_w, ".2f")} W, '
            f'{shown(result.energy_per_frame_j, ".3f")} J/frame',
            markup=False,
        )
    print_disturbance(result.other_programs_core_percent)


def _latencies(entry: Flow | OutputRate) -> tuple[str, ...]:
    found = entry.latency_ms
    return tuple(shown(value, '.1f') for value in (found.p50, found.p90, found.p99))
