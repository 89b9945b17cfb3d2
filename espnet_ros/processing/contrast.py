"""Whether an image shows anything: a covered lens, for example, makes a network see road."""

from __future__ import annotations

import cv2
from espnet_ros.exceptions import InputError
import numpy as np
from numpy.typing import NDArray

_SAMPLES = (128, 96)
_PARTS = (16, 12)
_OUTLIERS = 0.05
_CLEAR = 24  # times the least contrast: of single pixels, which noise cannot reach
_DEFAULT_BITS = 16  # whoever sets another depth knows the camera
_DARK = 16


def contrast_of(image_bgr: NDArray[np.uint8]) -> int:
    """
    Return by how much the brightest parts of an image differ from the darkest.

    Parts are means over a sixteenth of the width and a twelfth of the height, which average noise
    out. A twentieth of them at either end is left out.

    :param image_bgr: uint8, (H, W, 3)
    :return: 0 to 255
    """
    samples = cv2.resize(image_bgr, _SAMPLES, interpolation=cv2.INTER_NEAREST)
    gray = cv2.cvtColor(samples, cv2.COLOR_BGR2GRAY)
    parts = np.sort(cv2.resize(gray, _PARTS, interpolation=cv2.INTER_AREA), axis=None)
    left_out = round(_OUTLIERS * parts.size)
    return int(parts[-1 - left_out]) - int(parts[left_out])


def _is_clear(image_bgr: NDArray[np.uint8], least: int) -> bool:
    """Return whether some pixels show already what noise cannot; they cost little."""
    height, width = image_bgr.shape[:2]
    columns, rows = _PARTS
    some = sorted(image_bgr[:: max(1, height // rows), :: max(1, width // columns), 1].tobytes())
    left_out = round(_OUTLIERS * len(some))
    return some[-1 - left_out] - some[left_out] > _CLEAR * least


def shows_nothing(image_bgr: NDArray[np.uint8], least: int) -> bool:
    """
    Return whether an image has less contrast than it needs.

    :param image_bgr: uint8, (H, W, 3)
    :param least: see :func:`contrast_of`
    """
    return not _is_clear(image_bgr, least) and contrast_of(image_bgr) < least


def is_black(image_bgr: NDArray[np.uint8]) -> bool:
    """
    Return whether all pixels lie in the lowest sixteenth, as those of 12 bits read as of 16 do.

    :param image_bgr: uint8, (H, W, 3)
    """
    return bool(image_bgr.max() < _DARK)


def check_contrast(image_bgr: NDArray[np.uint8], least: int) -> None:
    """
    Check that an image shows something.

    :param image_bgr: uint8, (H, W, 3)
    :param least: see :func:`contrast_of`
    :raises InputError: it does not
    """
    if shows_nothing(image_bgr, least):
        raise InputError(
            f'expected an image with a contrast of {least} or more (min_contrast), found '
            f'{contrast_of(image_bgr)} at a mean brightness of {image_bgr.mean():.0f} of 255: is '
            'the lens covered, the light off, the exposure wrong or image_bit_depth too large?'
        )


def check_bit_depth(image_bgr: NDArray[np.uint8], kind: str, bit_depth: int) -> None:
    """
    Check that an image of 16 bits per channel uses the upper ones of its bit depth.

    :param image_bgr: uint8, (H, W, 3), the upper 8 of those bits
    :param kind: encoding or format of its message
    :raises InputError: all its pixels lie in the lowest sixteenth
    """
    if '16' in kind and bit_depth == _DEFAULT_BITS and is_black(image_bgr):
        raise InputError(
            f'{kind} image: expected values of {bit_depth} bits (image_bit_depth), found none '
            f'that needs more than {bit_depth - 4}; set image_bit_depth to that of the camera, or '
            'min_contrast to 0 if it is that dark'
        )
