"""The ``format`` of a CompressedImage, in the words of compressed_image_transport."""

from __future__ import annotations

from typing import NamedTuple

from espnet_ros.exceptions import InputError


class CompressedFormat(NamedTuple):
    """
    What was compressed: ``ORIGINAL; CODEC compressed STORED``.

    Of the codec nothing is kept: the data tell it themselves.

    :param original: encoding of the camera's image, in lower case; empty where it is not told
    :param stored: encoding that it was converted to before; empty where it was not, or where
        that is not told
    """

    original: str = ''
    stored: str = ''

    @property
    def mosaic(self) -> str:
        """
        Return the Bayer encoding of the pixels, empty for none.

        Publishers of ROS 1, PNG and TIFF leave a mosaic as it is and tell no stored encoding,
        and ``jpeg_compress_bayer`` tells the Bayer one. Without it JPEG makes mono8 of a mosaic,
        a gray picture that has no colours any more.
        """
        if self.stored.startswith('bayer_'):
            return self.stored
        is_mosaic = self.original.startswith('bayer_') and not self.stored.startswith('mono')
        return self.original if is_mosaic else ''

    @property
    def is_scaled_down(self) -> bool:
        """Return whether values of 16 bits were made 8 bits before compression."""
        is_deep = self.original.endswith('16') or self.original.startswith('16uc')
        return is_deep and self.stored in ('mono8', 'bgr8', 'rgb8')


def parse_format(text: str) -> CompressedFormat:
    """
    Read a format.

    Publishers of their own write just ``jpeg`` or ``png``, or anything; then nothing is told.

    :raises InputError: it is of compressed_depth_image_transport
    """
    original, separator, rest = text.lower().partition(';')
    words = rest.split()
    if 'compresseddepth' in words:
        raise InputError(
            'expected a picture, found a depth image; subscribe the topic of the colour camera'
        )
    if not separator:
        return CompressedFormat()
    stored = words[words.index('compressed') + 1 :] if 'compressed' in words else []
    return CompressedFormat(original.strip(), stored[0] if stored else '')
