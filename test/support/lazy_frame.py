"""A frame of the street that is rendered when a test looks at it, not when it is collected."""

from __future__ import annotations

from functools import cached_property

from espnet_ros.sources import Frame
from espnet_ros.sources.street import StreetSource
import numpy as np
from numpy.typing import NDArray


class LazyFrame:
    """
    What a test needs of the first frame of a street.

    :param street: renders it
    """

    def __init__(self, street: StreetSource) -> None:
        self._street = street

    @property
    def image_bgr(self) -> NDArray[np.uint8]:
        return self._frame.image_bgr

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Return what is there, by ids of the street's label set."""
        assert self._frame.labels is not None
        return self._frame.labels

    @cached_property
    def _frame(self) -> Frame:
        return self._street.frame(0)
