"""
Options of commands, as frozen dataclasses that the parser fills.

A command declares what it takes as fields made by :func:`argument` and :func:`option`; the
settings that ROS parameters, YAML and docs share come in by :func:`settings`, one option each.
Nothing but this module and :mod:`espnet_ros.cli.main` knows the parser.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, Field, field, fields, MISSING
from pathlib import Path
from typing import Any, TypeVar

from espnet_ros.cli.values import names, positive_integer, size, two_numbers
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import list_settings, read_settings, Setting, setting_values, Value

OptionsT = TypeVar('OptionsT')
Group = argparse._ActionsContainer

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

KINDS: dict[str, Callable[[str], Any]] = {
    'Path': Path,
    'float': float,
    'int': positive_integer,
    'tuple[float, float]': two_numbers,
    'tuple[int, int]': size,
    'tuple[str, ...]': names,
}
"""How values are read, by the annotation of their field."""


def argument(text: str, metavar: str, **how: Any) -> Any:
    """Declare a field that is given by its place; ``how`` as ``add_argument`` takes it."""
    one_of = how.pop('one_of', None)
    default: Any = MISSING
    if 'nargs' in how:
        default, how['type'] = (), str
    how |= {'help': text, 'metavar': metavar}
    return field(default=default, metadata={'flags': None, 'one_of': one_of, 'how': how})


def option(
    default: Any,
    text: str,
    metavar: str | None = None,
    *,
    flags: tuple[str, ...] = (),
    one_of: bool | None = None,
    **how: Any,
) -> Any:
    """
    Declare a field that is given by a flag.

    Its annotation tells how it is read (:data:`KINDS`), and ``GROUP`` of its class the group.

    :param default: where it is not given; ``MISSING`` where it must be; False makes a switch
    :param text: the help; a default that is a number or a word is added to it
    :param flags: its names, where they are not that of the field
    :param one_of: only one of such options may be given; True: and one must be
    :param how: as ``add_argument`` takes it
    """
    if metavar is not None:
        how['metavar'] = metavar
    if isinstance(default, (int, float, str)) and default is not False and default != '':
        text = text if 'Default:' in text else f'{text} Default: {_words(default)}.'.strip()
    how |= {'help': text} | ({'required': True} if default is MISSING else {})
    return field(default=default, metadata={'flags': flags, 'one_of': one_of, 'how': how})


def settings(cls: type, group: str, leave_out: Collection[str] = ()) -> Any:
    """Declare a field that holds settings, each of which but ``leave_out`` is an option."""
    metadata = {'settings': cls, 'group': group, 'leave_out': leave_out}
    return field(default_factory=cls, metadata=metadata)


def section(cls: type) -> Any:
    """Declare a field that holds options which several commands share."""
    return field(metadata={'section': cls})


def changed(values: Any) -> dict[str, Value]:
    """Return the settings of a settings object that are not at their default, by name."""
    defaults = setting_values(type(values)())
    return {k: v for k, v in setting_values(values).items() if v != defaults[k]}


def add_options(parser: argparse.ArgumentParser, cls: type) -> None:
    """Declare the fields of a dataclass of options to the parser, in order."""
    groups: dict[tuple[str, bool | None], Group] = {('', None): parser}
    for title, entry in _unfolded(cls):
        what = entry.metadata
        group = _find_group(groups, title, what.get('one_of'))
        if 'settings' in what:
            _add_settings(group, what['settings'], what['leave_out'])
        elif what['flags'] is None:
            how = _kind(entry) | what['how']
            group.add_argument(entry.name, default=argparse.SUPPRESS, **how)
        else:
            flags = what['flags'] or ('--' + entry.name.replace('_', '-'),)
            how = {'dest': entry.name, **_kind(entry), **what['how']}
            group.add_argument(*flags, default=argparse.SUPPRESS, **how)


def read_options(namespace: argparse.Namespace, cls: type[OptionsT]) -> OptionsT:
    """
    Return what the command line gave, defaults for the rest.

    :raises ConfigError: values that do not go together
    """
    given = vars(namespace)
    values: dict[str, Any] = {}
    for entry in fields(cls):  # type: ignore[arg-type]
        what = entry.metadata
        if 'section' in what:
            values[entry.name] = read_options(namespace, what['section'])
        elif 'settings' in what:
            names = (each.name for each in list_settings(what['settings']))
            found = {name: _destination(what['settings'], name) for name in names}
            said = {name: given[place] for name, place in found.items() if place in given}
            values[entry.name] = read_settings(what['settings'], said)
        elif entry.name in given:
            value = given[entry.name]
            values[entry.name] = tuple(value) if isinstance(value, list) else value
    return cls(**values)


def foreign_settings() -> Any:
    """Declare how an ONNX file of another origin is fed."""
    return settings(ForeignModelSettings, 'ONNX files of another origin')


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model, and how an ONNX file of another origin is fed."""

    GROUP = 'model'

    model: str = option(
        'auto',
        'Name of a shipped or fetched model, a model file (.onnx), an ONNX file of another '
        'origin, or a published checkpoint (.pth). Default: the best model that is here.',
    )
    foreign: ForeignModelSettings = foreign_settings()


def runtime_settings() -> Any:
    """Declare runtime, precision, device and threads."""
    # Only the node is measured on a stand-in for a device: bench --node --device-ms.
    return settings(RuntimeSettings, 'runtime', leave_out=('fake.latency_ms',))


def _unfolded(cls: type) -> Iterator[tuple[str, Field[Any]]]:
    """Return the fields with the titles of their groups, those of sections in their place."""
    for entry in fields(cls):
        if 'section' in entry.metadata:
            yield from _unfolded(entry.metadata['section'])
        else:
            yield entry.metadata.get('group', getattr(cls, 'GROUP', '')), entry


def _kind(entry: Field[Any]) -> dict[str, Any]:
    """Return how the parser reads a field, by its annotation and default."""
    name = str(entry.type).removesuffix(' | None')
    if name == 'bool':
        is_switch = entry.default is False
        return {'action': 'store_true' if is_switch else argparse.BooleanOptionalAction}
    return {'type': KINDS[name]} if name in KINDS else {}


def _find_group(
    groups: dict[tuple[str, bool | None], Group], title: str, one_of: bool | None
) -> Group:
    if (title, one_of) not in groups:
        plain = groups.get((title, None)) or groups[('', None)].add_argument_group(title)
        groups[(title, None)] = plain
        if one_of is not None:
            groups[(title, one_of)] = plain.add_mutually_exclusive_group(required=one_of)
    return groups[(title, one_of)]


def _add_settings(group: Group, cls: type, leave_out: Collection[str]) -> None:
    for entry in list_settings(cls):
        if entry.name in leave_out:
            continue
        flag = FLAGS.get(entry.name, '--' + entry.name.replace('_', '-'))
        shown = '' if entry.default in ('', ('',)) else f' Default: {_words(entry.default)}.'
        form = '{' + ','.join(entry.choices) + '}' if entry.choices else FORMS.get(entry.name)
        form = form or entry.name.rpartition('_')[2].upper()
        is_switch = isinstance(entry.default, bool)
        how: dict[str, Any] = {'type': _setting_reader(entry), 'metavar': form}
        group.add_argument(
            flag,
            dest=_destination(cls, entry.name),
            default=argparse.SUPPRESS,
            help=f'{entry.description}{shown}'.replace('%', '%%'),
            **({'action': argparse.BooleanOptionalAction} if is_switch else how),
        )


def _destination(cls: type, name: str) -> str:
    return f'{cls.__name__}.{name}'


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ','.join(_words(part) for part in value)
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return f'{value:g}' if isinstance(value, float) else str(value)


def _setting_reader(entry: Setting) -> Callable[[str], Any]:
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
