"""From the launch arguments to the processes, or to the one line that says why there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
import re

from espnet_ros.config import LaunchSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.launching import parts
from espnet_ros.nodes.launching.cameras import CameraTopics
from espnet_ros.nodes.launching.checks import (
    check_enclave,
    check_executable,
    check_model,
    check_source,
)
from espnet_ros.nodes.launching.parts import Process
from espnet_ros.nodes.launching.request import FREE_SPACE, LaunchRequest, read_request
from espnet_ros.settings import list_settings, read_settings

BOOLEANS = {'true': True, 'false': False}


@dataclass(frozen=True)
class LaunchPlan:
    """The processes in the order of their start, and what the user should know."""

    processes: tuple[Process, ...]
    warnings: tuple[str, ...] = ()


def read_arguments(arguments: Mapping[str, str]) -> LaunchSettings:
    """
    Return the settings in launch arguments, which are all text; others are left alone.

    :raises ConfigError: a value that is not allowed
    """
    values: dict[str, str | bool] = {}
    for entry in list_settings(LaunchSettings):
        text = arguments.get(entry.name)
        if text is None:
            continue
        if not isinstance(entry.default, bool):
            values[entry.name] = text
        elif text.lower() in BOOLEANS:
            values[entry.name] = BOOLEANS[text.lower()]
        else:
            raise ConfigError(f'{entry.name}: expected true or false, found {text!r}')
    return read_settings(LaunchSettings, values)


def plan_launch(settings: LaunchSettings, share: Path, base_namespace: str = '') -> LaunchPlan:
    """
    Decide what is started, and look whether all of it can be.

    :param base_namespace: of the launch file that includes ours
    :raises EspnetError: something cannot be started; nothing should be then
    """
    request = read_request(settings, share, base_namespace)
    processes = [parts.segmentation(request)]
    if not settings.build_only:
        processes += parts.free_space(request)
        processes += parts.camera_sources(request)
        processes += parts.rviz(request)
    processes = [_secured(process, settings.enclave) for process in processes]
    for process in processes:
        check_executable(process.package, process.executable)
    return LaunchPlan(tuple(processes), tuple(filter(None, _warnings(request, processes))))


def _secured(process: Process, above: str) -> Process:
    """
    Return a process with the enclave of SROS 2 that is called as its node.

    :param above: what the enclave is below; empty for none of its own
    :raises ConfigError: it is no enclave, or nothing may run without its keys, which are absent
    """
    if not re.fullmatch(r'(/[A-Za-z_]\w*)*/?', above, re.ASCII):
        raise ConfigError(f'enclave: expected a name like /espnet_ros, found {above!r}')
    enclave = f'{above.rstrip("/")}/{process.name}' if above else ''
    check_enclave(enclave)
    words = ('--enclave', enclave) if enclave else ()
    return replace(process, ros_arguments=(*process.ros_arguments, *words))


def _warnings(request: LaunchRequest, processes: list[Process]) -> list[str]:
    sources = [str(p.parameters['source']) for p in processes if 'source' in p.parameters]
    return [
        *(file.warning for file in request.files.values()),
        *(_rectification(request, topics) for topics in request.topics),
        _look(check_model, 'model', request.model),
        *(_look(check_source, 'source', source) for source in sources),
    ]


def _rectification(request: LaunchRequest, topics: CameraTopics) -> str:
    """Return a warning where the name of an image topic says another thing than its file."""
    file = request.files.get(FREE_SPACE)
    name = topics.image.rpartition('/')[2]
    if file is None or not name.startswith('image_rect') or file.value('image_rectified'):
        return ''
    return (
        f'{topics.image} is called rectified, but image_rectified is false for {FREE_SPACE}: '
        'distances are wrong unless D of its camera_info is 0; set image_rectified: true in '
        f'{file.argument}'
    )


def _look(check: Callable[[str], None], argument: str, value: str) -> str:
    """Check a value; return a warning where this Python cannot."""
    try:
        check(value)
    except ImportError as error:
        # ros2 launch may run in another Python than the nodes, which have their own libraries.
        return f'{argument} {value}: not checked, as ros2 launch has no {error.name}'
    return ''
