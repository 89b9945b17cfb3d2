"""Which parameters of a YAML file a node gets, by the rules of ROS 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from espnet_ros.exceptions import ConfigError
import yaml

PARAMETERS = 'ros__parameters'


@dataclass(frozen=True)
class ParameterRules:
    """
    What a parameter file says, in its order.

    :param rules: names of nodes, in which ``*`` is any part and ``**`` any parts, with the
        parameters that they get by full name
    """

    path: Path
    rules: tuple[tuple[str, Mapping[str, Any]], ...]

    def names_node(self, node: str) -> bool:
        """Tell whether a rule is for a node."""
        return any(_is_for(name, node) for name, _ in self.rules)

    def of_node(self, node: str) -> dict[str, Any]:
        """
        Return the parameters of a node; of several rules the last one counts.

        :param node: full name, for example ``/robot/segmentation``
        """
        found: dict[str, Any] = {}
        for name, parameters in self.rules:
            if _is_for(name, node):
                found |= parameters
        return found


def read_parameter_rules(argument: str, path: str | Path) -> ParameterRules:
    """
    Read a parameter file.

    :param argument: of the launch that names the file, for messages
    :raises ConfigError: it is not there, cannot be read, or holds no parameters of nodes
    """
    path = Path(path).expanduser()
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise ConfigError(f'{argument}: {path}: no such file; expected a YAML file') from error
    except OSError as error:
        raise ConfigError(f'{argument}: {path}: cannot be read ({error.strerror})') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f'{argument}: {path}: expected YAML, found none: {_in_words(error)}'
        ) from error
    rules = tuple(_rules(content, '')) if isinstance(content, Mapping) else ()
    if not rules:
        raise ConfigError(
            f'{argument}: {path}: expected names of nodes with {PARAMETERS} below them, '
            f'found none; see config/ of espnet_ros'
        )
    return ParameterRules(path, rules)


def _in_words(error: Exception) -> str:
    mark = getattr(error, 'problem_mark', None)
    if mark is None:
        return ' '.join(str(error).split())
    return f'{getattr(error, "problem", "")} (line {mark.line + 1}, column {mark.column + 1})'


def _rules(content: Mapping[Any, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, below in content.items():
        if not isinstance(below, Mapping):
            continue
        if key == PARAMETERS:
            yield name, dict(_unfold(below, ''))
        else:
            yield from _rules(below, f'{name}/{str(key).strip("/")}')


def _unfold(parameters: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _unfold(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _is_for(name: str, node: str) -> bool:
    # "/*" becomes one part, so that "/**" becomes any number of them.
    pattern = re.escape(name).replace(r'/\*', r'(/\w+)').replace(r'\*', '*')
    return re.fullmatch(pattern, node) is not None
