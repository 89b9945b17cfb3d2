"""Checks the installation and says how to mend it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
import json

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.cli.jobs import _check_machine, _check_power, _check_ros, _check_segmenting
from espnet_ros.cli.jobs._check import Check, Status
from rich.table import Table
from rich.text import Text

CHECKS: tuple[Callable[[], list[Check]], ...] = (
    _check_machine.check_machine,
    _check_machine.check_package,
    _check_segmenting.check_runtimes,
    _check_segmenting.check_models,
    _check_segmenting.check_tensorrt,
    _check_segmenting.check_segmenting,
    _check_machine.check_storage,
    _check_power.check_power,
    _check_ros.check_ros,
    _check_ros.check_transport,
)

_COLORS = {
    Status.OK: 'green',
    Status.ABSENT: 'dim',
    Status.WARN: 'yellow',
    Status.FAIL: 'red',
}


def run(arguments: argparse.Namespace) -> int:
    """Check everything; return 1 where this machine cannot segment."""
    with ERROR.status('checking'):
        checks = [check for examine in CHECKS for check in examine()]
    if arguments.json:
        print(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _print_checks(checks)
    failed = any(check.status is Status.FAIL for check in checks)
    return _exit.FAILED if failed else _exit.DONE


def _print_checks(checks: list[Check]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow='fold')
    for check in checks:
        status = Text(check.status.value, style=f'{_COLORS[check.status]}')
        table.add_row(status, check.topic, Text(check.found))
        if check.mend:
            table.add_row('', '', Text(f'-> {check.mend}', style='cyan'))
    OUT.print(table)
    failed, warned = (
        sum(check.status is status for check in checks) for status in (Status.FAIL, Status.WARN)
    )
    if failed:
        OUT.print('\nThis machine cannot segment yet.', style='red')
    elif warned:
        OUT.print(f'\nThis machine can segment; could be better: {warned}.')
    else:
        OUT.print('\nEverything is in order.', style='green')
