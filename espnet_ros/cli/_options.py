"""Arguments that several verbs share, made from the settings that they set."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from espnet_ros.config import (
    ForeignModelSettings,
    MaskSettings,
    OverlaySettings,
    RuntimeSettings,
)
from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import list_settings, read_settings, Setting

SettingsT = TypeVar('SettingsT')
Adder = argparse._ArgumentGroup | argparse.ArgumentParser

FLAGS = {'label_groups': '--groups'}
"""Options that are not called as their setting."""

FORMS = {
    'roi': 'X,Y,WIDTH,HEIGHT',
    'input_size': 'HEIGHT,WIDTH',
    'mask_size': 'SIZE',
    'mean': 'VALUE[,VALUE,VALUE]',
    'std': 'VALUE[,VALUE,VALUE]',
    'class_names': 'NAME,NAME,...',
    'label_groups': 'GROUPS',
    'confidence_threshold': 'SHARE',
}
"""How values are written, where the name of the option does not tell."""


def add_settings(group: Adder, cls: type, leave_out: Collection[str] = ()) -> None:
    """
    Declare one option for each setting of a settings dataclass.

    Options that are not given leave nothing in the namespace, so that
    :func:`read_options` can tell them from those that are.

    :param leave_out: names of settings that get none
    """
    for entry in list_settings(cls):
        if entry.name in leave_out:
            continue
        flag = FLAGS.get(entry.name, '--' + entry.name.replace('_', '-'))
        keywords: dict[str, Any] = {
            'dest': _destination(cls, entry.name),
            'default': argparse.SUPPRESS,
            'help': _help(entry),
        }
        if isinstance(entry.default, bool):
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **keywords)
            continue
        form = '{' + ','.join(entry.choices) + '}' if entry.choices else FORMS.get(entry.name)
        name = entry.name.rpartition('_')[2].upper()
        group.add_argument(flag, type=_reader(entry), metavar=form or name, **keywords)


def given(arguments: argparse.Namespace, cls: type) -> dict[str, Any]:
    """Return the settings of ``cls`` that were given on the command line, by name."""
    prefix = _destination(cls, '')
    return {
        key.removeprefix(prefix): value
        for key, value in vars(arguments).items()
        if key.startswith(prefix)
    }


def read_options(arguments: argparse.Namespace, cls: type[SettingsT]) -> SettingsT:
    """
    Return the settings that the command line gives, defaults for the rest.

    :raises ConfigError: values that do not go together
    """
    return read_settings(cls, given(arguments, cls))


def add_model_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Declare ``--model`` and how a foreign ONNX file is fed; return the first group."""
    group = parser.add_argument_group('model')
    group.add_argument(
        '--model',
        default='auto',
        help='Name of a shipped or fetched model, a model file (.onnx), an ONNX file of another '
        'origin, or a published checkpoint (.pth). Default: the best model that is here.',
    )
    add_foreign_options(parser)
    return group


def add_foreign_options(parser: argparse.ArgumentParser) -> None:
    """Declare how an ONNX file of another origin is fed."""
    group = parser.add_argument_group('ONNX files of another origin')
    add_settings(group, ForeignModelSettings)


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Declare runtime, precision, device and threads."""
    # Only the node is measured on a stand-in for a device: bench --node --device-ms.
    group = parser.add_argument_group('runtime')
    add_settings(group, RuntimeSettings, leave_out=('fake.latency_ms',))


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Declare what masks hold and how overlays look."""
    add_settings(parser.add_argument_group('masks'), MaskSettings)
    add_settings(parser.add_argument_group('overlays'), OverlaySettings)


def positive_integer(text: str) -> int:
    """Read a whole number above 0."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f'expected a whole number above 0, found {text!r}')
    return int(text)


def positive_number(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'expected a number above 0, found {text!r}')
    return value


def number_from_zero(text: str) -> float:
    """Read a number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float('inf'):
        raise argparse.ArgumentTypeError(f'expected a number of 0 or more, found {text!r}')
    return value


def percentage(text: str) -> float:
    """Read a number from 0 to 100."""
    try:
        value = float(text.removesuffix('%'))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f'expected a number from 0 to 100, found {text!r}')
    return value


def size(text: str) -> tuple[int, int]:
    """Read (height, width) in pixels."""
    parts = text.strip('[] ').replace('x', ',').split(',')
    if len(parts) != 2 or not all(p.strip().isdecimal() and int(p) for p in parts):
        raise argparse.ArgumentTypeError(f'expected HEIGHT,WIDTH in pixels, found {text!r}')
    return int(parts[0]), int(parts[1])


def _destination(cls: type, name: str) -> str:
    return f'{cls.__name__}.{name}'


def _help(entry: Setting) -> str:
    shown = '' if entry.default in ('', ('',)) else _words(entry.default)
    default = f' Default: {shown}.' if shown else ''
    return f'{entry.description}{default}'.replace('%', '%%')


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ','.join(_words(part) for part in value)
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return f'{value:g}' if isinstance(value, float) else str(value)


def _reader(entry: Setting) -> Callable[[str], Any]:
    """Return what turns the text of an option into a checked value of the setting."""
    kind = type(entry.default[0] if isinstance(entry.default, tuple) else entry.default)

    def read(text: str) -> Any:
        parts = [part.strip() for part in text.strip('[] ').split(',')]
        try:
            if isinstance(entry.default, tuple):
                return entry.check([kind(part) for part in parts])
            return entry.check(kind(text))
        except ConfigError as error:
            _, _, reason = str(error).partition(': ')
            raise argparse.ArgumentTypeError(reason) from error
        except ValueError:
            raise argparse.ArgumentTypeError(
                f'expected {entry.type_name.replace("_", " ")}, found {text!r}'
            ) from None

    return read
