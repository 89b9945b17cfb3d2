"""
Settings as frozen dataclasses whose fields carry their bounds and description.

One record for each setting gives the ROS 2 parameter, its descriptor and its
validation, the line in ``config/segmentation.yaml`` and the row in the documentation.
Nothing here knows ROS; the settings themselves are in ``config.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
import math
from typing import Any, get_type_hints, TypeVar

from espnet_ros.exceptions import ConfigError

Value = bool | int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
SettingsT = TypeVar('SettingsT')


@dataclass(frozen=True)
class Setting:
    """
    One setting, as a user sees it.

    :param name: full name, for example ``overlay.alpha``
    :param default: value where nothing was set; its type is the setting's type
    :param description: one sentence, with the unit
    :param choices: the values allowed; empty for any
    :param read_only: whether it can be set at start only
    """

    name: str
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def type_name(self) -> str:
        """Return the type in the words of ROS 2 parameters."""
        if isinstance(self.default, tuple):
            return {int: 'integer_array', float: 'double_array', str: 'string_array'}[
                type(self.default[0])
            ]
        return {bool: 'bool', int: 'integer', float: 'double', str: 'string'}[type(self.default)]

    def check(self, value: Any) -> Value:
        """
        Return the value in the setting's own type.

        :param value: what somebody wants to set; lists stand for tuples
        :raises ConfigError: wrong type, out of bounds or not among the choices
        """
        checked = self._typed(value)
        for number in checked if isinstance(checked, tuple) else (checked,):
            if self.choices and number not in self.choices:
                raise ConfigError(
                    f'{self.name}: expected one of {", ".join(self.choices)}, found {number!r}'
                )
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                low = -math.inf if self.minimum is None else self.minimum
                high = math.inf if self.maximum is None else self.maximum
                if not low <= number <= high:
                    raise ConfigError(
                        f'{self.name}: expected {low:g} to {high:g}, found {number:g}'
                    )
                if abs(number) == math.inf:
                    raise ConfigError(f'{self.name}: expected a finite number, found {number:g}')
        return checked

    def _typed(self, value: Any) -> Value:
        if isinstance(self.default, tuple):
            kind: type = type(self.default[0])
            values = None if isinstance(value, (str, bytes)) else _as_tuple(value)
            if values is not None and all(_is_a(v, kind) for v in values):
                return tuple(kind(v) for v in values)
        elif _is_a(value, type(self.default)):
            return type(self.default)(value)
        raise ConfigError(
            f'{self.name}: expected a value of type {self.type_name}, found {value!r}'
        )


def _as_tuple(value: Any) -> tuple[Any, ...] | None:
    try:
        return tuple(value)
    except TypeError:
        return None


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def setting(
    default: Value,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = False,
) -> Any:
    """Declare a field of a settings dataclass; see :class:`Setting`."""
    return field(
        default=default,
        metadata={
            'description': description,
            'minimum': minimum,
            'maximum': maximum,
            'choices': choices,
            'read_only': read_only,
        },
    )


def section(cls: type, prefix: str = '') -> Any:
    """
    Declare a field that holds the settings of another dataclass.

    :param prefix: put before their names, as in ``overlay.alpha``; empty for none
    """
    return field(default_factory=cls, metadata={'prefix': prefix})


def list_settings(cls: type, prefix: str = '') -> tuple[Setting, ...]:
    """Return every setting of a settings dataclass, sections unfolded, in order."""
    return tuple(found for _, found in _walk(cls, prefix))


def _walk(cls: type, prefix: str) -> Iterator[tuple[str, Setting]]:
    hints = get_type_hints(cls)
    for entry in fields(cls):
        if 'prefix' in entry.metadata:
            inner = entry.metadata['prefix']
            yield from _walk(hints[entry.name], f'{prefix}{inner}.' if inner else prefix)
        else:
            name = f'{prefix}{entry.name}'
            yield name, Setting(name, entry.default, **entry.metadata)  # type: ignore[arg-type]


def read_settings(cls: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """
    Build a settings dataclass from values by full name.

    :param values: for example ``{'overlay.alpha': 0.3}``; missing ones keep their default
    :raises ConfigError: an unknown name or a value that is not allowed
    """
    known = {entry.name for entry in list_settings(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f'unknown setting {", ".join(unknown)}; known are {", ".join(sorted(known))}'
        )
    return _build(cls, values, '')


def _build(cls: type[SettingsT], values: Mapping[str, Any], prefix: str) -> SettingsT:
    hints = get_type_hints(cls)
    arguments: dict[str, Any] = {}
    for entry in fields(cls):  # type: ignore[arg-type]
        if 'prefix' in entry.metadata:
            inner = entry.metadata['prefix']
            arguments[entry.name] = _build(
                hints[entry.name], values, f'{prefix}{inner}.' if inner else prefix
            )
        else:
            name = f'{prefix}{entry.name}'
            record = Setting(name, entry.default, **entry.metadata)  # type: ignore[arg-type]
            arguments[entry.name] = record.check(values.get(name, entry.default))
    return cls(**arguments)


def setting_values(settings: Any, prefix: str = '') -> dict[str, Value]:
    """Return the values of a settings object by full name; the reverse of read_settings."""
    values: dict[str, Value] = {}
    for entry in fields(settings):
        value = getattr(settings, entry.name)
        if is_dataclass(value):
            inner = entry.metadata['prefix']
            values |= setting_values(value, f'{prefix}{inner}.' if inner else prefix)
        else:
            values[f'{prefix}{entry.name}'] = value
    return values
