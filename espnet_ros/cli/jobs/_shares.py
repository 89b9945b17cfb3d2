"""How much of images each class covers, as a table and as a record."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli._console import OUT
from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

UNLABELLED = 'unlabelled'

_BAR_WIDTH = 30


@dataclass(frozen=True)
class ClassShare:
    """
    The share of one class.

    :param class_id: its id in the mask
    :param name: its name
    :param color_rgb: its colour
    :param share: share of the pixels, 0 to 1
    """

    class_id: int
    name: str
    color_rgb: tuple[int, int, int]
    share: float


def count_labels(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each id 0 to 255 occurs."""
    return np.bincount(labels.ravel(), minlength=256)


def class_shares(
    counts: NDArray[np.int64], label_set: LabelSet, unlabelled_id: int
) -> list[ClassShare]:
    """
    Return the share of every class in order of ids, and of what is unlabelled where any is.

    :param counts: as :func:`count_labels` returns it, of one image or the sum of many
    """
    total = max(int(counts.sum()), 1)
    shares = [
        ClassShare(class_id, entry.name, entry.color_rgb, float(counts[class_id] / total))
        for class_id, entry in enumerate(label_set.classes)
        if class_id != unlabelled_id
    ]
    if counts[unlabelled_id]:
        share = float(counts[unlabelled_id] / total)
        shares.append(ClassShare(unlabelled_id, UNLABELLED, (0, 0, 0), share))
    return shares


def print_shares(shares: list[ClassShare]) -> None:
    """Print the classes that were seen, the largest first, each with its colour."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column('')
    table.add_column('class')
    table.add_column('share', justify='right')
    table.add_column('')
    seen = sorted((entry for entry in shares if entry.share), key=lambda entry: -entry.share)
    largest = seen[0].share if seen else 1.0
    for entry in seen:
        width = round(_BAR_WIDTH * entry.share / largest)
        bar = Text('█' * width, style=f'rgb({",".join(map(str, entry.color_rgb))})')
        table.add_row(swatch(entry.color_rgb), entry.name, _percent(entry.share), bar)
    OUT.print(table)


def _percent(share: float) -> str:
    return '<0.1 %' if share < 0.0005 else f'{100 * share:.1f} %'


def swatch(color_rgb: tuple[int, int, int]) -> Text:
    """Return two cells in a colour."""
    return Text('██', style=f'rgb({",".join(map(str, color_rgb))})')
