"""Reading ahead keeps order, passes errors on, and ends its thread."""

from collections.abc import Iterator
from itertools import count
import threading

from espnet_ros.sources.read_ahead import read_ahead
import pytest


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_items_come_in_order() -> None:
    with read_ahead(range(50)) as items:
        assert list(items) == list(range(50))


def test_limit_ends_an_endless_source() -> None:
    with read_ahead(count(), limit=3) as items:
        assert list(items) == [0, 1, 2]


def test_error_comes_where_the_item_would_have_come() -> None:
    def break_off() -> Iterator[int]:
        yield 1
        raise OSError('cable')

    with read_ahead(break_off()) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match='cable'):
            next(items)


def test_no_more_than_the_depth_is_read_ahead() -> None:
    taken: list[int] = []

    def watched() -> Iterator[int]:
        for value in range(100):
            taken.append(value)
            yield value

    with read_ahead(watched(), depth=2) as items:
        assert next(items) == 0
        assert len(taken) <= 5


def test_leaving_early_ends_the_thread() -> None:
    with read_ahead(count()) as items:
        next(items)
        assert 'read_ahead' in threads()
    assert 'read_ahead' not in threads()
