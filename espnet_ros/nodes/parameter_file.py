"""
The parameter files of the nodes, written from their settings.

``python -m espnet_ros.nodes.parameter_file > config/segmentation.yaml`` brings a file up to
date, as ``... parameter_file free_space > config/free_space.yaml`` does; tests compare them.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
import sys
import textwrap

from espnet_ros.config import FreeSpaceSettings, SegmentationNodeSettings
from espnet_ros.settings import list_settings, Setting, Value

WIDTH = 99
HEADING = """\
# Every parameter of the segmentation node with its default.
#
#   ros2 launch espnet_ros segment.launch.py params_file:=my_segmentation.yaml
#
# Copy this file and keep the lines that differ. Parameters that are not "fixed at start" can be
# changed while the node runs: ros2 param set /segmentation overlay.alpha 0.3
# Quality of service: qos_overrides./segmentation/mask.publisher.reliability and so on.
"""

FREE_SPACE_HEADING = """\
# Every parameter of the free space node with its default; see docs/planner.md.
#
#   ros2 launch espnet_ros segment.launch.py free_space:=true \\
#     free_space_params_file:=my_free_space.yaml
#
# Copy this file and keep the lines that differ. Parameters that are not "fixed at start" can be
# changed while the node runs: ros2 param set /free_space grid.resolution_m 0.2
"""


def format_parameter_file(cls: type, heading: str = HEADING) -> str:
    """Return a YAML file that sets every parameter of a node to its default."""
    lines = [heading.rstrip(), '/**:', '  ros__parameters:']
    section: tuple[str, ...] = ()
    for entry in list_settings(cls):
        *parents, name = entry.name.split('.')
        for depth, parent in enumerate(parents):
            if section[: depth + 1] != tuple(parents[: depth + 1]):
                lines += ['', f'{_indent(depth)}{parent}:']
        if tuple(parents) == section or not parents:
            lines.append('')
        section = tuple(parents)
        lines += _comment(entry, _indent(len(parents)))
        lines.append(f'{_indent(len(parents))}{name}: {_format(entry.default)}')
    return '\n'.join(lines) + '\n'


def allowed(entry: Setting) -> str:
    """Return in words which values a setting takes; empty where its type says it all."""
    if entry.choices:
        return 'one of ' + ', '.join(entry.choices)
    if entry.minimum is not None and entry.maximum is not None:
        return f'{entry.minimum:g} to {entry.maximum:g}'
    if entry.minimum is not None:
        return f'at least {entry.minimum:g}'
    return '' if entry.maximum is None else f'at most {entry.maximum:g}'


def _indent(depth: int) -> str:
    return '  ' * (2 + depth)


def _comment(entry: Setting, indent: str) -> Iterator[str]:
    facts = [entry.type_name, allowed(entry), 'fixed at start' if entry.read_only else '']
    text = f'{entry.description} ({"; ".join(filter(None, facts))})'
    prefix = f'{indent}# '
    # Examples such as "a=b; c=d" are not broken at their hyphens.
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _format(value: Value) -> str:
    # JSON's form of text and numbers is YAML's too.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


if __name__ == '__main__':
    if 'free_space' in sys.argv[1:]:
        sys.stdout.write(format_parameter_file(FreeSpaceSettings, FREE_SPACE_HEADING))
    else:
        sys.stdout.write(format_parameter_file(SegmentationNodeSettings))
