"""Settings carry their bounds, and refuse in words what does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import (
    list_settings,
    read_settings,
    section,
    Setting,
    setting,
    setting_values,
)
import pytest


@dataclass(frozen=True)
class Inner:
    alpha: float = setting(0.5, 'Opacity.', minimum=0.0, maximum=1.0)
    tags: tuple[str, ...] = setting(('',), 'Names.')
    share: float = setting(0.0, 'How much, without bounds.')


@dataclass(frozen=True)
class Outer:
    mode: str = setting('auto', 'How.', choices=('auto', 'fast'), read_only=True)
    count: int = setting(3, 'How many.', minimum=1, maximum=9)
    verbose: bool = setting(False, 'Whether to tell.')
    box: tuple[int, ...] = setting((0, 0), 'Where.', minimum=0)
    inner: Inner = section(Inner, 'inner')
    plain: Inner = section(Inner)


NAMES = [
    *('mode', 'count', 'verbose', 'box', 'inner.alpha', 'inner.tags', 'inner.share'),
    *('alpha', 'tags', 'share'),
]


def test_sections_are_unfolded_in_order_with_their_prefix():
    assert [entry.name for entry in list_settings(Outer)] == NAMES
    assert [entry.name for entry in list_settings(Inner, 'a.')] == ['a.alpha', 'a.tags', 'a.share']


def test_a_setting_says_everything_about_itself():
    mode, count = list_settings(Outer)[:2]
    assert mode == Setting('mode', 'auto', 'How.', choices=('auto', 'fast'), read_only=True)
    assert (count.minimum, count.maximum, count.read_only) == (1, 9, False)


def test_types_are_told_in_the_words_of_ros_parameters():
    assert [entry.type_name for entry in list_settings(Outer)][:6] == [
        'string',
        'integer',
        'bool',
        'integer_array',
        'double',
        'string_array',
    ]


def test_values_replace_defaults_and_the_rest_keeps_them():
    read = read_settings(Outer, {'count': 4, 'inner.alpha': 0.25, 'box': [1, 2, 3]})
    assert read == Outer(count=4, inner=Inner(alpha=0.25), box=(1, 2, 3))


def test_values_read_back_are_the_same_settings():
    settings = Outer(mode='fast', inner=Inner(tags=('a', 'b')))
    values = setting_values(settings)
    assert list(values) == NAMES
    assert read_settings(Outer, values) == settings


def test_whole_numbers_serve_as_floats_but_not_the_reverse():
    assert read_settings(Inner, {'alpha': 1}).alpha == 1.0
    assert isinstance(read_settings(Inner, {'alpha': 1}).alpha, float)
    with pytest.raises(ConfigError, match=r'count: expected a value of type integer, found 2\.0'):
        read_settings(Outer, {'count': 2.0})


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'count': 0}, 'count: expected 1 to 9, found 0'),
        ({'count': 10}, 'count: expected 1 to 9, found 10'),
        ({'count': True}, 'count: expected a value of type integer, found True'),
        ({'count': '3'}, 'type integer'),
        ({'count': None}, 'type integer'),
        ({'verbose': 1}, 'verbose: expected a value of type bool, found 1'),
        ({'mode': 'slow'}, "mode: expected one of auto, fast, found 'slow'"),
        ({'mode': 3}, 'type string'),
        ({'box': [1, -1]}, r'box: expected 0 to inf, found -1'),
        ({'box': [1, 0.5]}, 'type integer_array'),
        ({'box': 4}, 'type integer_array, found 4'),
        ({'inner.tags': 'abc'}, "type string_array, found 'abc'"),
        ({'inner.alpha': 1.01}, 'inner.alpha: expected 0 to 1'),
        ({'inner.alpha': float('nan')}, 'inner.alpha: expected 0 to 1, found nan'),
        ({'inner.alpha': float('inf')}, 'inner.alpha: expected 0 to 1, found inf'),
        ({'inner.share': float('inf')}, 'inner.share: expected a finite number, found inf'),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(values, message):
    with pytest.raises(ConfigError, match=message):
        read_settings(Outer, values)


def test_unknown_names_are_refused_with_those_that_are_known():
    with pytest.raises(ConfigError, match=r'unknown setting inner\.beta, zeta; known are alpha'):
        read_settings(Outer, {'zeta': 1, 'inner.beta': 2})
