"""Fetches published weights and keeps them as model files."""

from __future__ import annotations

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import say, warn
from espnet_ros.cli.models.options import FetchOptions
from espnet_ros.cli.progress import make_bar
from espnet_ros.exceptions import ConfigError, EspnetError
from espnet_ros.export.fetch import fetch_model
from espnet_ros.model_file.published import PUBLISHED
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def fetch_models(options: FetchOptions) -> int:
    known = [model.name for model in PUBLISHED]
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise ConfigError(
            f'no published model {", ".join(unknown)}; expected one of {", ".join(known)}'
        )
    names = known if options.all else list(dict.fromkeys(options.names))
    failed: list[EspnetError] = []
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with make_bar('{task.description}', *columns) as bar:
        for name in names:
            try:
                _fetch(name, bar)
            except EspnetError as error:
                if len(names) == 1:
                    raise
                failed.append(error)
                warn(f'{name}: {error}')
    if failed:
        raise type(failed[0])(f'{len(failed)} of {len(names)} models were not fetched')
    return exit_codes.DONE


def _fetch(name: str, bar: Progress) -> None:
    task = bar.add_task(name, total=None)

    def report(done_bytes: int, total_bytes: int) -> None:
        what = f'{name}: exporting' if done_bytes == total_bytes else name
        bar.update(task, completed=done_bytes, total=total_bytes, description=what)

    try:
        path = fetch_model(name, progress=report)
    finally:
        bar.remove_task(task)
    say(f'{name}: {path}')
