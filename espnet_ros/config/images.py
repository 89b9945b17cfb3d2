"""What images hold, as far as they do not tell it themselves."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import setting

LEAST_CONTRAST = 4
"""Of an image that shows something, of 255; in the heaviest fog, dust and night it is 12."""


@dataclass(frozen=True)
class ImageSettings:
    """How images are read, from topics, bags and files alike."""

    image_bit_depth: int = setting(
        16,
        'Bits in use in images of 16 bits per channel (mono16, 16UC1, bayer_rggb16, rgb16, PNG '
        'of 16 bits): 10 or 12 for a camera that leaves the upper ones empty. Values above are '
        'white.',
        minimum=8,
        maximum=16,
        read_only=True,
    )


def check_size(name: str, size: tuple[int, ...]) -> None:
    """
    Check that a setting is [height, width], or two zeros.

    :raises ConfigError: it is not
    """
    if len(size) != 2 or size.count(0) == 1:
        raise ConfigError(
            f'{name}: expected [height, width] in pixels above 0, or two zeros, found {list(size)}'
        )
