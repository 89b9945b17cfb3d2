"""A comparison as a record and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from espnet_ros.cli._console import OUT
from espnet_ros.evaluation.parity import Parity
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame
from rich.table import Table

_WORST = 5


def describe(
    source: str,
    both: Sequence[Segmenter],
    parity: Parity,
    broken: list[BrokenFrame],
) -> dict[str, Any]:
    """Return the record of a comparison; shares are 0 to 1, worst images come first."""
    a, b = (
        {
            'model': segmenter.runtime.model.info.name,
            'sha256': segmenter.runtime.model.sha256,
            'runtime': segmenter.runtime.name,
            'precision': segmenter.runtime.precision,
            'resize': segmenter.runtime.settings.resize,
            'device': segmenter.runtime.device,
        }
        for segmenter in both
    )
    return {
        'source': source,
        'a': a,
        'b': b,
        'agreement_percent': 100 * parity.agreement,
        'images': [
            {
                'name': image.name,
                'agreement_percent': 100 * image.agreement,
                'differing_pixels': image.differing,
            }
            for image in parity.worst(len(parity.images))
        ],
        'classes': [
            {
                'name': change.name,
                'share_a': change.share_a,
                'share_b': change.share_b,
                'iou': change.iou,
            }
            for change in parity.changes(both[0].label_set)
        ],
        'broken': [{'name': frame.name, 'reason': frame.reason} for frame in broken],
    }


def print_comparison(record: dict[str, Any]) -> None:
    """Print the record for people."""
    for letter in ('a', 'b'):
        side = record[letter]
        OUT.print(
            f'{letter.upper()}: {side["model"]} on {side["runtime"]} {side["precision"]} '
            f'({side["device"]})',
            soft_wrap=True,
            markup=False,
        )
    _print_classes(record)
    if len(record['images']) > 1:
        _print_worst(record)
    count = len(record['images'])
    OUT.print(
        f'\n{record["agreement_percent"]:.3f} % of pixels agree on '
        f'{count} image{"" if count == 1 else "s"}'
    )


def _print_classes(record: dict[str, Any]) -> None:
    classes = _table('class', 'share in A', 'share in B', 'change', 'IoU')
    for change in record['classes']:
        if change['iou'] is not None:
            classes.add_row(
                change['name'],
                f'{100 * change["share_a"]:.2f} %',
                f'{100 * change["share_b"]:.2f} %',
                f'{100 * (change["share_b"] - change["share_a"]):+.2f} %',
                f'{change["iou"]:.4f}',
            )
    OUT.print()
    OUT.print(classes)


def _print_worst(record: dict[str, Any]) -> None:
    worst = _table('worst images', 'agreement', 'differing pixels')
    for image in record['images'][:_WORST]:
        share = f'{image["agreement_percent"]:.3f} %'
        worst.add_row(image['name'], share, str(image['differing_pixels']))
    OUT.print()
    OUT.print(worst)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify='right')
    return table
