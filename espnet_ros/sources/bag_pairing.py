"""Which calibration belongs to which image of a bag, by their stamps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from espnet_ros.exceptions import InputError
from espnet_ros.sources.bag_reader import BagCalibration, BagImage
from espnet_ros.sources.base import FrameCalibration

LOOK_AHEAD = 3
"""So many images wait for a calibration that was recorded after them."""

_KEPT = 100
"""So many calibrations wait for images that were recorded after them, as compressed ones are."""

ImageOrError = BagImage | InputError
"""An image, or why it cannot be read."""

Pair = tuple[ImageOrError, FrameCalibration | None]


def paired(messages: Iterable[ImageOrError | BagCalibration]) -> Iterator[Pair]:
    """
    Give each image with its calibration, in the order of the images.

    It is the one with the image's stamp, else the one with the last stamp before it, or None
    where there is none. An image without a stamp takes the last one recorded before it.

    :param messages: as they were recorded; a calibration may come a little after its image.
        An InputError that they raise is raised after the images before it.
    """
    pairs = _Pairs()
    try:
        for message in messages:
            if isinstance(message, BagCalibration):
                pairs.add_calibration(message)
            else:
                pairs.add_image(message)
            yield from pairs.take(LOOK_AHEAD)
    except InputError:
        yield from pairs.take(0)
        raise
    yield from pairs.take(0)


@dataclass(eq=False)
class _Waiting:
    image: ImageOrError
    is_settled: bool


class _Pairs:
    def __init__(self) -> None:
        self._known: deque[BagCalibration] = deque(maxlen=_KEPT)
        self._waiting: deque[_Waiting] = deque()

    def add_calibration(self, calibration: BagCalibration) -> None:
        self._known.append(calibration)
        for entry in self._waiting:
            # Calibrations are recorded in the order of their stamps: none fits better after this.
            if isinstance(entry.image, BagImage):
                entry.is_settled |= calibration.stamp_ns >= entry.image.stamp_ns

    def add_image(self, image: ImageOrError) -> None:
        waits = (
            isinstance(image, BagImage)
            and image.stamp_ns > 0
            and all(known.stamp_ns != image.stamp_ns for known in self._known)
        )
        self._waiting.append(_Waiting(image, is_settled=not waits))

    def take(self, left: int) -> Iterator[Pair]:
        """Give the first images that are settled, and those beyond a number that may wait."""
        while self._waiting and (self._waiting[0].is_settled or len(self._waiting) > left):
            image = self._waiting.popleft().image
            yield image, self._calibration_of(image)

    def _calibration_of(self, image: ImageOrError) -> FrameCalibration | None:
        if not isinstance(image, BagImage) or not self._known:
            return None
        if not image.stamp_ns:
            return self._known[-1].calibration
        before = [known for known in reversed(self._known) if known.stamp_ns <= image.stamp_ns]
        return max(before, key=lambda known: known.stamp_ns).calibration if before else None
