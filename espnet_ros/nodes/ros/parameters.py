"""
Settings dataclasses as ROS 2 parameters.

A change is validated as a whole and without side effects before it is stored (on-set) and
applied after that (post-set), so a value that is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.parameter_file import allowed
from espnet_ros.settings import list_settings, read_settings, Setting, Value
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

SettingsT = TypeVar('SettingsT')

_NOT_OURS = ('qos_overrides.', 'diagnostic_updater.')
_OF_EVERY_NODE = ('use_sim_time', 'start_type_description_service')


def declare_settings(
    node: Node,
    cls: type[SettingsT],
    *,
    check: Callable[[SettingsT], None] = lambda _: None,
    on_change: Callable[[SettingsT], None] | None = None,
    convert: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
) -> SettingsT:
    """
    Declare a parameter for each setting and return the settings that the node starts with.

    :param node: the node; its overrides come from the command line, a file or its creator
    :param check: says no to settings that are valid by themselves by raising ConfigError;
        changes nothing
    :param on_change: takes the settings after each change
    :param convert: makes of the values given at start what they mean
    :raises ConfigError: a value given at start is not allowed; nothing is declared then
    """
    settings_list = list_settings(cls)
    given = convert(_given_values(node, settings_list))
    settings = read_settings(cls, given)
    check(settings)
    for entry in settings_list:
        value = entry.check(given.get(entry.name, entry.default))
        node.declare_parameter(
            entry.name,
            list(value) if isinstance(value, tuple) else value,
            describe(entry),
            ignore_override=True,
        )
    _validate_changes(node, cls, check)
    if on_change is not None:
        _apply_changes(node, cls, on_change)
    return settings


def describe(entry: Setting) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` shows of a setting."""
    descriptor = ParameterDescriptor(
        name=entry.name,
        description=entry.description,
        additional_constraints=allowed(entry),
        read_only=entry.read_only,
    )
    # rclpy checks ranges of numbers only, and its words are poor where one end is open.
    if entry.minimum is not None and entry.maximum is not None:
        if isinstance(entry.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(entry.minimum), to_value=float(entry.maximum))
            ]
        elif isinstance(entry.default, int):
            descriptor.integer_range = [
                IntegerRange(from_value=int(entry.minimum), to_value=int(entry.maximum))
            ]
    return descriptor


def _given_values(node: Node, settings_list: Sequence[Setting]) -> dict[str, Any]:
    """Return the values that were given at start, and warn of names that nobody knows."""
    # Declaring would refuse an integer for a double and an empty list, and in other words.
    known = {entry.name for entry in settings_list}
    overrides = find_overrides(node, known)
    unknown = [
        name
        for name in overrides
        if name not in known and name not in _OF_EVERY_NODE and not name.startswith(_NOT_OURS)
    ]
    if unknown:
        node.get_logger().warning(
            f'ignored unknown parameters: {", ".join(sorted(unknown))}; '
            f'known are {", ".join(sorted(known))}'
        )
    # An empty YAML list has no type and arrives as "not set": it leaves the default.
    return {
        name: parameter.value
        for name, parameter in overrides.items()
        if name in known and parameter.type_ != Parameter.Type.NOT_SET
    }


def _validate_changes(
    node: Node, cls: type[SettingsT], check: Callable[[SettingsT], None]
) -> None:
    types = {entry.name: type(entry.default) for entry in list_settings(cls)}

    def to_double(parameters: list[Parameter[Any]]) -> list[Parameter[Any]]:
        return [
            Parameter(p.name, Parameter.Type.DOUBLE, float(p.value))
            if types.get(p.name) is float and p.type_ == Parameter.Type.INTEGER
            else p
            for p in parameters
        ]

    def validate(parameters: list[Parameter[Any]]) -> SetParametersResult:
        try:
            check(_read(node, cls, {p.name: p.value for p in parameters if p.name in types}))
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    if hasattr(node, 'add_pre_set_parameters_callback'):  # since Iron
        node.add_pre_set_parameters_callback(to_double)
    node.add_on_set_parameters_callback(validate)


def _apply_changes(
    node: Node, cls: type[SettingsT], on_change: Callable[[SettingsT], None]
) -> None:
    names = {entry.name for entry in list_settings(cls)}

    def apply(parameters: list[Parameter[Any]]) -> None:
        if any(p.name in names for p in parameters):
            on_change(_read(node, cls, {}))

    if hasattr(node, 'add_post_set_parameters_callback'):  # since Iron
        node.add_post_set_parameters_callback(apply)
        return
    # Humble has no callback after a change is stored, and one before it may still be
    # refused by another: wake the executor, which comes here once the change is through,
    # and read what is stored. The parameter services share this callback group.
    applied = [_read(node, cls, {})]

    def apply_stored() -> None:
        settings = _read(node, cls, {})
        if settings != applied[0]:
            applied[0] = settings
            on_change(settings)

    stored = node.create_guard_condition(apply_stored)

    def wake(parameters: list[Parameter[Any]]) -> SetParametersResult:
        if any(p.name in names for p in parameters):
            stored.trigger()
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(wake)


def _read(node: Node, cls: type[SettingsT], changes: dict[str, Value]) -> SettingsT:
    stored = {entry.name: node.get_parameter(entry.name).value for entry in list_settings(cls)}
    return read_settings(cls, stored | changes)


_MEMBER = '_parameter_overrides'
"""In every rclpy from Humble to Lyrical."""


def find_overrides(node: Node, names: Iterable[str]) -> dict[str, Parameter[Any]]:
    """
    Return the parameters that a node was given at start, by name; a dictionary of the caller's.

    To declare a parameter applies its override, but rclpy refuses an integer for a double and an
    empty list then, in words of its own, and does not tell of names that nobody declares. So the
    values are read first. The dictionary that rclpy keeps them in has no public name; where it is
    gone, each value is read by declaring its name for a moment, with any type.

    :param names: what will be declared, and is not yet
    :return: these and, where rclpy shows them, those of other names
    """
    held = getattr(node, _MEMBER, None)
    return dict(held) if isinstance(held, dict) else _declared_for_a_moment(node, names)


def _declared_for_a_moment(node: Node, names: Iterable[str]) -> dict[str, Parameter[Any]]:
    any_type = ParameterDescriptor(dynamic_typing=True)
    found: dict[str, Parameter[Any]] = {}
    for name in names:
        given = node.declare_parameter(name, None, any_type)
        if given.type_ != Parameter.Type.NOT_SET:
            found[name] = given
        node.undeclare_parameter(name)
    return found
