"""Checks the installation and says how to fix it."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, OUT, say_json
from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.cli.doctor.options import Options
from rich.table import Table
from rich.text import Text

CHECKS = (
    ('machine', 'check_machine'),
    ('machine', 'check_package'),
    ('machine', 'check_extras'),
    ('segmenting', 'check_runtimes'),
    ('segmenting', 'check_models'),
    ('tensorrt', 'check_tensorrt'),
    ('segmenting', 'check_segmenting'),
    ('storage', 'check_storage'),
    ('power', 'check_power'),
    ('ros', 'check_ros'),
    ('transport', 'check_transport'),
)
"""Modules of this folder and their checks, in the order of the report."""

_COLORS = {
    Status.OK: 'green',
    Status.ABSENT: 'dim',
    Status.WARN: 'yellow',
    Status.FAIL: 'red',
}


def run(options: Options) -> int:
    """Check everything; return 1 where this machine cannot segment."""
    with ERROR.status('checking'):
        checks = [check for module, name in CHECKS for check in _examine(module, name)]
    if options.json:
        say_json([asdict(check) for check in checks])
    else:
        _print_checks(checks)
    failed = any(check.status is Status.FAIL for check in checks)
    return exit_codes.FAILED if failed else exit_codes.DONE


def _examine(module: str, name: str) -> list[Check]:
    """Return what a check found; nothing where it needs a library that ``libraries`` told of."""
    try:
        checks = import_module(f'espnet_ros.cli.doctor.{module}')
    except (ImportError, OSError):
        return []
    found: list[Check] = getattr(checks, name)()
    return found


def _print_checks(checks: list[Check]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow='fold')
    for check in checks:
        status = Text(check.status.value, style=f'{_COLORS[check.status]}')
        table.add_row(status, check.topic, Text(check.found))
        if check.fix:
            table.add_row('', '', Text(f'-> {check.fix}', style='cyan'))
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
