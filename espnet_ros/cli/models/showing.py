"""Shows everything that a model file says of itself."""

from __future__ import annotations

from dataclasses import fields

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import OUT, say, say_json, swatch
from espnet_ros.cli.models.options import ShowOptions
from espnet_ros.model_file import load_model_file, ModelFile
from espnet_ros.model_file.store import find_model
from rich.table import Table
from rich.text import Text


def show_model(options: ShowOptions) -> int:
    model = load_model_file(find_model(options.model))
    if options.json:
        say_json(describe(model))
    else:
        _print_model(model)
    return exit_codes.DONE


def describe(model: ModelFile) -> dict[str, object]:
    """Return all that is known of a model file, as plain values."""
    info = model.info
    content: dict[str, object] = {
        field.name: getattr(info, field.name)
        for field in fields(info)
        if field.name not in ('architecture_arguments', 'label_set')
    }
    content['architecture_arguments'] = dict(info.architecture_arguments)
    content['path'] = str(model.path)
    content['size_bytes'] = len(model.data)
    content['sha256'] = model.sha256
    content['label_set'] = info.label_set.to_dict()
    return content


def _print_model(model: ModelFile) -> None:
    # The check image's labels fill a page; --json has them.
    content = describe(model) | {'self_check': 'yes' if model.info.self_check else 'none'}
    for name, value in content.items():
        if name != 'label_set':
            line = Text(f'{name.replace("_", " "):<24}', style='bold')
            OUT.print(line.append(_words(value), style='not bold'), soft_wrap=True)
    label_set = model.info.label_set
    OUT.print(f'\n{len(label_set.classes)} classes of label set {label_set.name}:', style='bold')
    classes = Table.grid(padding=(0, 1))
    classes.add_column(justify='right')
    for class_id, entry in enumerate(label_set.classes):
        is_void = class_id == label_set.void_id and entry.name != 'void'
        classes.add_row(
            str(class_id),
            swatch(entry.color_rgb),
            Text(f'{entry.name} (void)' if is_void else entry.name),
        )
    OUT.print(classes)
    for name, grouping in label_set.groupings:
        groups = '; '.join(f'{group}={",".join(members)}' for group, members in grouping)
        say(f'\ngrouping {name}: {groups}')


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key}={inner}' for key, inner in value.items()) or '-'
    if isinstance(value, tuple):
        return ' x '.join(str(part) for part in value)
    return str(value) or '-'
