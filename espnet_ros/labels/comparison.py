"""Whether two things that work together mean the same classes."""

from __future__ import annotations

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels.label_set import LabelSet


def check_same_classes(
    name: str, found: LabelSet, expected_name: str, expected: LabelSet, what_to_do: str = ''
) -> None:
    """
    Compare the classes of two label sets, whose colours and groups may differ.

    :param name: of what has ``found``
    :param expected_name: of what has ``expected``
    :raises ConfigError: the classes or their order differ
    """
    if found.names != expected.names:
        raise ConfigError(
            f'{name}: expected the classes of {expected_name} ({", ".join(expected.names)}), '
            f'found {", ".join(found.names)}' + (f'; {what_to_do}' if what_to_do else '')
        )
