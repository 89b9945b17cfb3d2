"""Lists the models that are here or can be fetched."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import re

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.exceptions import ModelError
from espnet_ros.export.published import PUBLISHED
from espnet_ros.model_file import load_model_file
from espnet_ros.model_file.store import present_models
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class ListedModel:
    """
    One line of the list.

    :param name: name of the model
    :param classes: number of classes, void included
    :param parameters: number of parameters, or None where the file does not tell
    :param size_bytes: size of the published weights, or of the file where there are none
    :param training_set: what it was trained on
    :param accuracy: as published, with its protocol; empty where none was
    :param license: licence of the weights
    :param path: where the model file lies, or None where it is not here
    """

    name: str
    classes: int
    parameters: int | None
    size_bytes: int
    training_set: str
    accuracy: str
    license: str
    path: str | None


def run(arguments: argparse.Namespace) -> int:
    """List the models; return the exit code."""
    models = list_models()
    if arguments.json:
        print(json.dumps([asdict(model) for model in models], indent=2, ensure_ascii=False))
    else:
        _print_models(models)
    return _exit.DONE


def list_models() -> list[ListedModel]:
    """Return the models that are here and published ones, published ones last."""
    present = present_models()
    published = [
        ListedModel(
            model.name,
            model.classes,
            model.parameters,
            model.size_bytes,
            model.training_set,
            model.accuracy,
            model.license,
            str(present[model.name]) if model.name in present else None,
        )
        for model in PUBLISHED
    ]
    names = {model.name for model in published}
    return [*_read_others({n: p for n, p in present.items() if n not in names}), *published]


def _read_others(paths: dict[str, Path]) -> list[ListedModel]:
    models = []
    for name, path in paths.items():
        try:
            info = load_model_file(path).info
        except ModelError as error:
            ERROR.print(f'warning: {error}', soft_wrap=True, markup=False)
            continue
        models.append(
            ListedModel(
                name,
                len(info.label_set.classes),
                None,
                path.stat().st_size,
                info.training_set,
                info.accuracy,
                info.license,
                str(path),
            )
        )
    return models


def _print_models(models: list[ListedModel]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column('name', no_wrap=True)
    for title in ('classes', 'parameters', 'size'):
        table.add_column(title, justify='right', no_wrap=True)
    table.add_column('mIoU', justify='right', no_wrap=True)
    table.add_column('licence', no_wrap=True)
    table.add_column('here', no_wrap=True)
    for model in models:
        table.add_row(
            model.name,
            str(model.classes),
            '' if model.parameters is None else f'{model.parameters:,}',
            f'{model.size_bytes / 1e6:.1f} MB',
            _published_miou(model.accuracy),
            re.split(r'[,;(]', model.license)[0].strip(),
            Text('yes', style='green') if model.path else Text('no', style='dim'),
        )
    OUT.print(table)
    OUT.print('\nmIoU in percent, as published; espnet-ros models show NAME tells how measured')
    if not any(model.path for model in models):
        OUT.print(f'Get one with: espnet-ros models fetch {PUBLISHED[0].name}', soft_wrap=True)


def _published_miou(accuracy: str) -> str:
    found = re.search(r'([\d.]+) mIoU', accuracy)
    return f'{float(found[1]):.1f}' if found else '-'
