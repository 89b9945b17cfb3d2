"""What the observer and the camera of a benchmark tell each other through their pipe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True)
class CameraPlan:
    """
    What the process publishes.

    :param cameras: names, one empty name for a single camera
    :param rate_hz: images per second and camera; 0 publishes on demand
    :param plays_masks: whether class ids of the street are published as ``mask`` instead of images
    :param has_info: whether ``camera_info`` goes beside them
    :param image_path: file of the image, None for the rendered street
    :param image_size: (height, width), None for the file's own or 1080p
    """

    namespace: str
    cameras: tuple[str, ...]
    rate_hz: float
    plays_masks: bool
    has_info: bool
    image_path: Path | None
    image_size: tuple[int, int] | None


class Command(Enum):
    """What the camera is told."""

    PLAY = 'play'
    PAUSE = 'pause'


@dataclass(frozen=True)
class Arrival:
    """Tells a camera on demand what became of an image: it and those before it are done."""

    index: int
    stamp_ns: int


@dataclass(frozen=True)
class Ready:
    """
    The answer once the camera can play.

    :param image: encoding and size, for example ``bgr8 1920x1080``
    """

    image: str


@dataclass(frozen=True)
class Refusal:
    """The answer where it cannot."""

    reason: str


@dataclass(frozen=True)
class Played:
    """
    The answer to PAUSE.

    :param counts: messages published since PLAY, by camera
    :param duration_s: since PLAY
    """

    counts: tuple[int, ...]
    duration_s: float
