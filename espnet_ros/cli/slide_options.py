"""Options that say how pictures too large for memory are tiled."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.options import option
from espnet_ros.cli.values import whole_from_zero
from espnet_ros.exceptions import ConfigError


@dataclass(frozen=True, kw_only=True)
class SlideOptions:
    """Whether pictures are segmented by tiles, and by which."""

    GROUP = 'pictures too large for memory'

    tile: int | None = option(
        None,
        'Segment TIFF files of any size by tiles of N x N pixels, at their own resolution; masks '
        'are tiled TIFF files with a pyramid.',
        'N',
    )
    overlap: int = option(
        128,
        'Pixels that two tiles share, where their scores are blended.',
        'N',
        type=whole_from_zero,
    )

    def check(self) -> None:
        """
        Check that they go together.

        :raises ConfigError: tiles overlap by more than half
        """
        if self.tile is not None and self.overlap > self.tile // 2:
            raise ConfigError(
                f'--overlap: expected 0 to half of --tile, {self.tile // 2}, found {self.overlap}'
            )
