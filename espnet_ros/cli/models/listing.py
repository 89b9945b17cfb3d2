"""Lists the models that are here or can be fetched."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
import re

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import OUT, say, say_json, warn
from espnet_ros.cli.models.options import ListOptions
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import load_model_file
from espnet_ros.model_file.published import PUBLISHED
from espnet_ros.model_file.store import present_models
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class ListedModel:
    """
    One line of the list.

    :param parameters: number of parameters, or None where the file does not tell
    :param size_bytes: size of the published weights, or of the file where there are none
    :param accuracy: as published, with its protocol; empty where none was
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


def show_models(options: ListOptions) -> int:
    models = list_models()
    if options.json:
        say_json([asdict(model) for model in models])
    else:
        _print_models(models)
    return exit_codes.DONE


def list_models() -> list[ListedModel]:
    """Return the models that are here and published ones, published ones last."""
    present = present_models()
    published = [
        ListedModel(
            name=model.name,
            classes=model.classes,
            parameters=model.parameters,
            size_bytes=model.size_bytes,
            training_set=model.training_set,
            accuracy=model.accuracy,
            license=model.license,
            path=str(present[model.name]) if model.name in present else None,
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
            warn(f'warning: {error}')
            continue
        models.append(
            ListedModel(
                name=name,
                classes=len(info.label_set.classes),
                parameters=None,
                size_bytes=path.stat().st_size,
                training_set=info.training_set,
                accuracy=info.accuracy,
                license=info.license,
                path=str(path),
            )
        )
    return models


def _print_models(models: list[ListedModel]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ('name', 'classes', 'parameters', 'size', 'mIoU', 'licence', 'here'):
        is_number = title in ('classes', 'parameters', 'size', 'mIoU')
        table.add_column(title, justify='right' if is_number else 'left', no_wrap=True)
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
    OUT.print('\nmIoU in percent, as published; its protocol: espnet-ros models show NAME')
    if not any(model.path for model in models):
        say(f'Get one with: espnet-ros models fetch {PUBLISHED[0].name}')


def _published_miou(accuracy: str) -> str:
    found = re.search(r'([\d.]+) mIoU', accuracy)
    return f'{float(found[1]):.1f}' if found else '-'
