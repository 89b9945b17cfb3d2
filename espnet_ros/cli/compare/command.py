"""Compares two models or runtimes on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.cli import exit_codes
from espnet_ros.cli.compare.comparison import Comparison
from espnet_ros.cli.compare.many_sources import compare_many
from espnet_ros.cli.compare.options import Options
from espnet_ros.cli.compare.pair import Pair, read_models
from espnet_ros.cli.compare.report import describe, print_comparison, print_sources
from espnet_ros.cli.console import PROGRAM, warn
from espnet_ros.cli.output import check_output, OutputFolder, write_json
from espnet_ros.fleet.manifest import read_entries
from espnet_ros.fleet.planning import plan_units
from espnet_ros.fleet.unit import Unit


def run(options: Options) -> int:
    """Compare two contenders on sources; return the exit code."""
    check_output(options.json, '--json')
    options.engine.check()
    for text in (options.first, options.second):
        parse_contender(text)
    units = plan_units(read_entries(options.sources))
    folder = None
    if options.output is not None:
        folder = OutputFolder(options.output, *(spec for unit in units for spec in unit.specs))
    if len(units) > 1:
        return _run_many(options, units)
    comparison = _compare_one(options, units[0], folder)
    print_comparison(comparison)
    if options.json is not None:
        write_json(options.json, describe(comparison))
    return _verdict(comparison, options.require)


def _compare_one(options: Options, unit: Unit, folder: OutputFolder | None) -> Comparison:
    models = read_models(options)
    if options.engine.engine != 'local':
        return compare_many(options, [unit], models).only
    with closing(Pair(options, models)) as pair:
        comparison = pair.compare(unit, None if folder is None else folder.write)
    comparison.check()
    return comparison


def _run_many(options: Options, units: Sequence[Unit]) -> int:
    """
    Compare on several sources; return the exit code.

    :raises InputError: one of them failed
    """
    many = compare_many(options, units, read_models(options))
    rows = {unit.name: comparison for unit, comparison in many.found.items()}
    if many.total is not None:
        print_comparison(many.total)
        print_sources(rows | {'total': many.total})
    many.warn_of_failures()
    if options.json is not None:
        record = {
            'total': None if many.total is None else describe(many.total),
            'sources': [describe(comparison) for comparison in rows.values()],
            'failed': [{'source': u.source, 'reason': why} for u, why in many.failed.items()],
        }
        write_json(options.json, record)
    total = many.end(len(units), 'sources')
    return exit_codes.INTERRUPTED if total is None else _verdict(total, options.require)


def _verdict(comparison: Comparison, require: float | None) -> int:
    for frame in comparison.broken:
        warn(f'broken: {frame.reason}')
    percent = 100 * comparison.parity.agreement
    if require is not None and percent < require:
        warn(f'{PROGRAM}: {percent:.3f} % of pixels agree, required are {require:g} %')
        return exit_codes.FAILED
    return exit_codes.FAILED if comparison.broken else exit_codes.DONE
