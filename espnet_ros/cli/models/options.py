"""What ``models list``, ``models fetch`` and ``models show`` take."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.options import argument, option


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    json: bool = option(False, 'Write JSON to standard output.')


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    DESCRIPTION = (
        'Download published weights, check them, and keep them as model files in the data '
        'folder of espnet_ros. ESPNET_ROS_MIRROR names a folder to take them from instead of '
        'the network.'
    )

    names: tuple[str, ...] = argument('Which models.', 'NAME', nargs='*', one_of=True)
    all: bool = option(False, 'All of them.', one_of=True)


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    model: str = argument('Name of a model, or a model file.', 'NAME|PATH')
    json: bool = option(False, 'Write JSON to standard output.')


COMMANDS = {
    'list': ('Show the models that are here or can be fetched.', ListOptions),
    'fetch': ('Fetch published weights as model files.', FetchOptions),
    'show': ('Show everything that a model file says about itself.', ShowOptions),
}
