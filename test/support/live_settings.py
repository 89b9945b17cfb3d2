"""Parameters of a node that runs, set through its service."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter


def set_parameter(ros: Any, name: str, value: Any, node: str = 'segmentation') -> Any:
    """Set a parameter and return the node's answer; ``ros`` is the fixture."""
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    return ros.call(SetParameters, f'{node}/set_parameters', request).results[0]
