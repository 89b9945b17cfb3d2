"""What turns the words of the command line into numbers, sizes and pairs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def _reader(
    kind: Callable[[str], Any], is_allowed: Callable[[Any], bool], words: str
) -> Callable[[str], Any]:
    """Return what reads one value of the command line."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not is_allowed(value):
            raise argparse.ArgumentTypeError(f'expected {words}, found {text!r}')
        return value

    return read


def _two(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, Any]]:
    def read(text: str) -> tuple[Any, Any]:
        first, second = text.strip('[] ').replace('x', ',').split(',')
        return kind(first), kind(second)

    return read


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition('=')
    return name, value


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(',') if part.strip())


_INFINITE = float('inf')
positive_integer = _reader(int, lambda value: value > 0, 'a whole number above 0')
positive_number = _reader(float, lambda value: 0 < value < _INFINITE, 'a number above 0')
number_from_zero = _reader(float, lambda value: 0 <= value < _INFINITE, 'a number of 0 or more')
whole_from_zero = _reader(int, lambda value: value >= 0, 'a whole number of 0 or more')
share = _reader(float, lambda value: 0 <= value <= 1, 'a number from 0 to 1')
percentage = _reader(
    lambda text: float(text.removesuffix('%')),
    lambda value: 0 <= value <= 100,
    'a number from 0 to 100',
)
size = _reader(_two(int), lambda sides: min(sides) > 0, 'HEIGHT,WIDTH in pixels')
two_numbers = _reader(_two(float), lambda _: True, 'LOW,HIGH')
assignment = _reader(_pair, all, 'NAME=VALUE')
