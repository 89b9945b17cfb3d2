"""
The values that a node is given at start, before anything is declared.

To declare a parameter applies its override, but rclpy refuses an integer for a double and an empty
list then, in words of its own, and does not tell of names that nobody declares. So the values are
read first. The dictionary that rclpy keeps them in has no public name; where it is gone, each
value is read by declaring its name for a moment, with any type. Unknown names stay unknown there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter

_MEMBER = '_parameter_overrides'
"""In every rclpy from Humble to Lyrical."""


def find_overrides(node: Node, names: Iterable[str]) -> dict[str, Parameter[Any]]:
    """
    Return the parameters that a node was given at start, by name; a dictionary of the caller's.

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
