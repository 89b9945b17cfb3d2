"""A comparison as a record and for people."""

from __future__ import annotations

from collections.abc import Mapping

from espnet_ros.cli.compare.comparison import Comparison
from espnet_ros.cli.console import make_table, OUT, say

_WORST = 5


def describe(comparison: Comparison) -> dict[str, object]:
    """Return the record of a comparison; shares are 0 to 1, worst images come first."""
    parity = comparison.parity
    a, b = (vars(side) for side in comparison.sides)
    return {
        'source': comparison.source,
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
        'classes': [vars(change) for change in parity.changes(comparison.label_set)],
        'broken': [{'name': frame.name, 'reason': frame.reason} for frame in comparison.broken],
    }


def print_comparison(comparison: Comparison) -> None:
    """Print what was compared, what became of the classes, and the worst images."""
    parity = comparison.parity
    for letter, side in zip('AB', comparison.sides, strict=True):
        say(f'{letter}: {side.model} on {side.runtime} {side.precision} ({side.device})')
    classes = make_table('class', 'share in A', 'share in B', 'change', 'IoU', gap=2)
    for change in parity.changes(comparison.label_set):
        if change.iou is not None:
            classes.add_row(
                change.name,
                f'{100 * change.share_a:.2f} %',
                f'{100 * change.share_b:.2f} %',
                f'{100 * (change.share_b - change.share_a):+.2f} %',
                f'{change.iou:.4f}',
            )
    OUT.print('', classes, sep='\n')
    count = len(parity.images)
    if count > 1:
        worst = make_table('worst images', 'agreement', 'differing pixels', gap=2)
        for image in parity.worst(_WORST):
            worst.add_row(image.name, f'{100 * image.agreement:.3f} %', str(image.differing))
        OUT.print('', worst, sep='\n')
    OUT.print(
        f'\n{100 * parity.agreement:.3f} % of pixels agree on '
        f'{count} image{"" if count == 1 else "s"}'
    )


def print_sources(rows: Mapping[str, Comparison]) -> None:
    """Print a row for each source, by name."""
    table = make_table('source', 'images', 'agreement', 'differing pixels', gap=2)
    for name, row in rows.items():
        images = row.parity.images
        differing = sum(image.differing for image in images)
        agreement = f'{100 * row.parity.agreement:.3f} %'
        table.add_row(name, str(len(images)), agreement, str(differing))
    OUT.print('', table, sep='\n')
