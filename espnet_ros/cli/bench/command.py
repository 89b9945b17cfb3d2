"""Measures what models cost, in time, power and energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from espnet_ros.benchmark import gpu_clocks, nsight
from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.benchmark.image import read_image, street_frame
from espnet_ros.benchmark.measuring import measure, Measured, Telemetry
from espnet_ros.benchmark.result import (
    BenchRecord,
    describe_machine,
    describe_results,
    Protocol,
    result_name,
    Sensitivity,
)
from espnet_ros.benchmark.worker import Contender, OURS, PEERS
from espnet_ros.cli import exit_codes
from espnet_ros.cli.bench.node import measure_node, refuse_node_options
from espnet_ros.cli.bench.node_view import print_node
from espnet_ros.cli.bench.options import Options
from espnet_ros.cli.bench.plot import check_plot, choose_axes, draw
from espnet_ros.cli.bench.view import print_bench
from espnet_ros.cli.console import ERROR, say_json
from espnet_ros.cli.options import changed
from espnet_ros.cli.output import check_output, write_json
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.exceptions import ConfigError
from espnet_ros.telemetry.file_tree import FileTree
import numpy as np
from numpy.typing import NDArray

PROTOCOL_SIZE = (512, 1024)


def run(options: Options) -> int:
    if not options.power.root.is_dir():
        raise ConfigError(f'--root {options.power.root}: expected a folder, found none')
    output = options.output
    check_output(output.json, '--json')
    if options.nodes.node:
        result = measure_node(options)
        _tell(output.json, asdict(result), lambda: print_node(result))
        return exit_codes.DONE
    refuse_node_options(options.nodes)
    if output.plot is not None:
        check_output(output.plot, '--plot')
        check_plot(output.plot_axes, output.plot)
    record = _measure_models(options)
    _tell(output.json, record.to_dict(), lambda: print_bench(record))
    if output.plot is not None:
        draw(record.results, choose_axes(output.plot_axes, record.results), output.plot)
    return exit_codes.DONE


def _measure_models(options: Options) -> BenchRecord:
    protocol = Protocol(
        size=options.protocol.size or PROTOCOL_SIZE,
        trials=options.protocol.trials,
        warm_up=options.protocol.warm_up,
        rounds=min(options.protocol.rounds, options.protocol.trials),
        image=str(options.protocol.image or 'rendered street'),
    )
    contenders = _contenders(options, protocol.size)
    path, size = options.protocol.image, protocol.size
    image_bgr = street_frame(size).image_bgr if path is None else read_image(path, size)
    power = options.power
    tree = FileTree(power.root)
    with Telemetry(power.sensor, tree, power.rate) as telemetry:
        telemetry.measure_idle(power.idle)
        if options.protocol.gpu_clocks is None:
            measured = _measure(protocol, contenders, image_bgr, telemetry)
            sensitivity = []
        else:
            by_clock = {}
            with gpu_clocks.GpuClockLock(tree) as lock:
                for clock_mhz in gpu_clocks.parse_clocks(options.protocol.gpu_clocks):
                    with ERROR.status(f'waiting for {clock_mhz} MHz (Ctrl-C ends)'):
                        lock.fix(clock_mhz, _ask if ERROR.is_terminal else None)
                    by_clock[clock_mhz] = _measure(protocol, contenders, image_bgr, telemetry)
            measured = by_clock[max(by_clock)]
            sensitivity = _sensitivities(by_clock)
    results = describe_results(measured, telemetry.idle_w)
    if options.protocol.ncu:
        results = [
            replace(result, efficiency=nsight.profile(result.info, entry.model, protocol.size))
            for result, entry in zip(results, contenders, strict=True)
        ]
    return BenchRecord(protocol, describe_machine(telemetry), results, sensitivity)


def _contenders(options: Options, size: tuple[int, int]) -> list[Contender]:
    """Return what is measured, peers last."""
    contenders = []
    for text in options.models or ('auto',):
        named = parse_contender(text)
        if changed(options.runtime).keys() & named.names:
            raise ConfigError(
                f'{text}: expected {" and ".join(sorted(named.names))} either behind the @ or as '
                'options'
            )
        settings = named.settings(options.runtime)
        contenders.append(Contender(named.model, settings, options.foreign, OURS, size))
    if options.protocol.peers:
        contenders += [replace(contenders[0], way=way) for way in PEERS]
    return contenders


def _measure(
    protocol: Protocol,
    contenders: list[Contender],
    image_bgr: NDArray[np.uint8],
    telemetry: Telemetry,
) -> list[Measured]:
    total = len(contenders) * (protocol.trials + protocol.warm_up)
    with FrameProgress('measuring', total) as progress:
        return measure(
            contenders,
            image_bgr,
            telemetry,
            trials=protocol.trials,
            warm_up=protocol.warm_up,
            rounds=protocol.rounds,
            advance=progress.advance,
        )


def _ask(command: str) -> None:
    ERROR.print('Fix the clock of the GPU in another terminal:', style='bold')
    ERROR.print(f'  {command}', markup=False, soft_wrap=True)


def _sensitivities(by_clock: Mapping[int, list[Measured]]) -> list[Sensitivity]:
    found = []
    for n, last in enumerate(by_clock[max(by_clock)]):
        times_s = {mhz: float(each[n].latencies_s.mean()) for mhz, each in by_clock.items()}
        found.append(
            Sensitivity(
                name=result_name(last),
                value=gpu_clocks.sensitivity(times_s),
                formula=gpu_clocks.FORMULA,
                latency_ms_by_mhz={mhz: 1e3 * value for mhz, value in times_s.items()},
                power_w_by_mhz={mhz: m[n].energy.mean_power_w for mhz, m in by_clock.items()},
            )
        )
    return found


def _tell(path: Path | None, record: dict[str, object], show: Callable[[], None]) -> None:
    """Show what was found, or write it as JSON to standard output; then into a file."""
    if path is not None and str(path) == '-':
        say_json(record)
        return
    show()
    if path is not None:
        write_json(path, record)
