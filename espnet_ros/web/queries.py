"""What requests say behind the question mark, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from espnet_ros.exceptions import InputError

WIDTHS = (64, 1920)
RATES_HZ = (1, 30)
_LONGEST = 64


@dataclass(frozen=True)
class PictureQuery:
    """
    Which pictures somebody wants.

    :param width: largest width in pixels
    :param after: number of the picture that is there already
    :param labels: key of the label set that is there already
    """

    camera: str
    width: int = 960
    rate_hz: int = 15
    after: int = -1
    labels: str = ''
    confidence: bool = False
    alpha: float = 0.5


def read_picture_query(query: Mapping[str, str], cameras: tuple[str, ...]) -> PictureQuery:
    """
    Return what a request says.

    :raises InputError: a value that is not allowed
    """
    return PictureQuery(
        camera=read_camera(query, cameras),
        width=_number(query, 'width', 960, *WIDTHS),
        rate_hz=_number(query, 'rate', 15, *RATES_HZ),
        after=_number(query, 'after', -1, -1, 1 << 53),
        labels=query.get('labels', '')[:_LONGEST],
        confidence=query.get('confidence') == '1',
        alpha=_number(query, 'alpha', 50, 0, 100) / 100,
    )


def read_camera(query: Mapping[str, str], cameras: tuple[str, ...]) -> str:
    """
    Return the camera that a request names; the first one where it names none.

    :raises InputError: there is no such camera
    """
    name = query.get('camera', next(iter(cameras), ''))
    if name not in cameras:
        known = ', '.join(cameras) if any(cameras) else 'one without a name'
        raise InputError(f'camera: expected one of {known}, found {name[:_LONGEST]!r}')
    return name


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    digits = text.removeprefix('-')
    if digits.isascii() and digits.isdecimal() and len(digits) < 17:
        value = int(text)
        if least <= value <= most:
            return value
    raise InputError(
        f'{name}: expected a whole number of {least} to {most}, found {text[:_LONGEST]!r}'
    )
