"""What a mask holds, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import setting


@dataclass(frozen=True)
class MaskSettings:
    """What a mask holds and how large it is."""

    roi: tuple[int, ...] = setting(
        (0, 0, 0, 0),
        'Part of the image to segment, [x, y, width, height] in pixels; '
        '[0, 0, 0, 0] is all of it. The mask is unlabelled outside.',
        minimum=0,
    )
    mask_size: str = setting(
        'image',
        'Size of the mask: image, network, or height,width in pixels (resized by '
        'nearest neighbour).',
    )
    unlabelled_id: int = setting(255, 'Id of pixels without a label.', minimum=0, maximum=255)
    confidence_threshold: float = setting(
        0.0,
        'Pixels whose confidence is below become unlabelled; 0 is off.',
        minimum=0.0,
        maximum=1.0,
    )
    label_groups: str = setting(
        '',
        'Merges classes: the name of a grouping of the label set (categories), or '
        '"drivable=road,terrain; obstacle=person,car". Classes in no group become unlabelled.',
    )

    def __post_init__(self) -> None:
        if len(self.roi) != 4 or (any(self.roi) and not (self.roi[2] and self.roi[3])):
            raise ConfigError(
                'roi: expected [x, y, width, height] with a width and height above '
                f'0, or four zeros, found {list(self.roi)}'
            )
        self.fixed_mask_size()

    def fixed_mask_size(self) -> tuple[int, int] | None:
        """
        Return (height, width) where ``mask_size`` gives one, else None.

        :raises ConfigError: it is neither a word that is known nor a size
        """
        if self.mask_size in ('image', 'network'):
            return None
        parts = self.mask_size.strip('[] ').split(',')
        if len(parts) == 2 and all(p.strip().isdecimal() for p in parts):
            height, width = (int(p) for p in parts)
            if 1 <= height <= 16384 and 1 <= width <= 16384:
                return height, width
        raise ConfigError(
            'mask_size: expected image, network or "height,width" of 1 to 16384, '
            f'found {self.mask_size!r}'
        )


@dataclass(frozen=True)
class OverlaySettings:
    """How a mask is drawn over its image."""

    alpha: float = setting(0.5, 'Opacity of the class colours, 0 to 1.', minimum=0.0, maximum=1.0)
    legend: bool = setting(False, 'Draw the names and colours of the classes that are seen.')
    max_width: int = setting(
        960,
        'Largest width in pixels of ~/overlay and ~/color_mask; larger images are reduced. 0 is '
        'no limit.',
        minimum=0,
        maximum=16384,
    )
