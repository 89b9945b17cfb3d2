"""A comparison as a record and for people."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.cli.console import make_table, OUT, say
from espnet_ros.evaluation.parity import Parity
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame

_WORST = 5


def describe(
    source: str, both: Sequence[Segmenter], parity: Parity, broken: list[BrokenFrame]
) -> dict[str, object]:
    """Return the record of a comparison; shares are 0 to 1, worst images come first."""
    a, b = (
        {
            'model': segmenter.runtime.model.info.name,
            'sha256': segmenter.runtime.model.sha256,
            'runtime': segmenter.runtime.name,
            'precision': segmenter.runtime.precision,
            'resize': segmenter.runtime.resize,
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
        'classes': [vars(change) for change in parity.changes(both[0].label_set)],
        'broken': [{'name': frame.name, 'reason': frame.reason} for frame in broken],
    }


def print_comparison(both: Sequence[Segmenter], parity: Parity) -> None:
    """Print what was compared, what became of the classes, and the worst images."""
    for letter, segmenter in zip('AB', both, strict=True):
        runtime = segmenter.runtime
        say(
            f'{letter}: {runtime.model.info.name} on {runtime.name} {runtime.precision} '
            f'({runtime.device})'
        )
    classes = make_table('class', 'share in A', 'share in B', 'change', 'IoU', gap=2)
    for change in parity.changes(both[0].label_set):
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
