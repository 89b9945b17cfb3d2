"""Which sizes of images an engine takes: the network's own, that of the first image, or many."""

from __future__ import annotations

import logging

from espnet_ros.exceptions import InputError

logger = logging.getLogger(__name__)

Size = tuple[int, int]
"""(height, width) in pixels."""

LARGEST: Size = (1536, 2048)
"""Of the images that an engine for many sizes resizes. Compilers that do not merge the resize with
what is around it need 75 MB for one of them."""


class ImageSizes:
    """
    The sizes of one runtime's images.

    :param resize: the setting: ``host`` is the network's size alone, ``device`` one size, and
        ``auto`` all sizes up to :data:`LARGEST`, or that of a network that is larger
    :param given: the one size, where it is known before the first image

    :ivar resizes: whether the engine does
    :ivar are_many: whether the engine is one for all sizes up to :attr:`engine`
    :ivar engine: what the engine is built for; None before the first image
    """

    def __init__(self, resize: str, network: Size, given: Size | None) -> None:
        self.network = network
        self.resizes = resize != 'host'
        self.are_many = resize == 'auto'
        self._known = given if self.resizes else network
        if self.are_many:
            self._known = (max(LARGEST[0], network[0]), max(LARGEST[1], network[1]))
        self.engine: Size | None = self._known
        self._has_told = False

    @property
    def usual(self) -> Size | None:
        """Return the size that batches have where nobody says another."""
        return self.network if self.are_many else self.engine

    @property
    def trial(self) -> Size:
        """Return the size of an image to try an engine with: one that it has to resize."""
        double = (2 * self.network[0], 2 * self.network[1])
        if self.are_many and self.fit(double):
            return double
        return self.usual or self.network

    def fit(self, size: Size) -> bool:
        """Return whether the engine was built for images of a size."""
        if self.engine is None or not self.are_many:
            return size == self.engine
        return size[0] <= self.engine[0] and size[1] <= self.engine[1]

    def takes(self, size: Size) -> bool:
        """Return whether images go to the engine as they are, and tell once of too large ones."""
        if not self.are_many or self.fit(size):
            return self.resizes
        if not self._has_told:
            self._has_told = True
            logger.info(
                'images of %dx%d are too large for the engine, and are resized on the CPU; set '
                'resize to device for an engine of their size',
                *reversed(size),
            )
        return False

    def check(self, size: Size, runtime: str) -> None:
        """
        Refuse images that an engine that resizes was not built for.

        :raises InputError: they have another size
        """
        if not self.resizes or self.engine is None or self.fit(size):
            return
        if self.are_many:
            raise InputError(
                f'{runtime}: expected images of height,width {self.engine} at most, found {size}; '
                'resize them before'
            )
        raise InputError(
            f'{runtime}: the engine was built for the size of the first image, height,width '
            f'{self.engine}, found {size}; set resize to auto or host where sizes change'
        )

    def forget_first(self) -> None:
        self.engine = self._known
