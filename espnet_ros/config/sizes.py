"""Settings that are a size in pixels, or not given."""

from __future__ import annotations

from espnet_ros.exceptions import ConfigError


def check_size(name: str, size: tuple[int, ...]) -> None:
    """
    Check that a setting is [height, width], or two zeros.

    :raises ConfigError: it is not
    """
    if len(size) != 2 or size.count(0) == 1:
        raise ConfigError(
            f'{name}: expected [height, width] in pixels above 0, or two zeros, found {list(size)}'
        )
