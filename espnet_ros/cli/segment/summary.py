"""What a run found: the record ``summary.json``, and a table of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from espnet_ros.cli.console import OUT, swatch, warn
from espnet_ros.cli.segment.pipeline import Outcome
from espnet_ros.cli.segment.result_writer import FrameRecord
from espnet_ros.labels import LabelSet
from espnet_ros.segmenter import Segmenter
from espnet_ros.version import VERSION
import numpy as np
from numpy.typing import NDArray
from rich.table import Column, Table

SUMMARY = 'summary.json'

UINT8_PROTOCOL = 'image resized as uint8 (bilinear), normalised in the network'
FLOAT_PROTOCOL = "image resized as float32 (bilinear), as the authors' code does"

UNLABELLED = 'unlabelled'

_BAR_WIDTH = 30


@dataclass(frozen=True)
class ClassShare:
    """
    The share of one class.

    :param share: share of the pixels, 0 to 1
    """

    class_id: int
    name: str
    color_rgb: tuple[int, int, int]
    share: float


def class_shares(
    counts: NDArray[np.int64], label_set: LabelSet, unlabelled_id: int
) -> list[ClassShare]:
    """
    Return the share of every class in order of ids, and of what is unlabelled where any is.

    :param counts: int64, (256,), pixels of each id
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
    table = Table(
        '', 'class', Column('share', justify='right'), '', box=None, padding=(0, 1), pad_edge=False
    )
    seen = sorted((entry for entry in shares if entry.share), key=lambda entry: -entry.share)
    for entry in seen:
        width = round(_BAR_WIDTH * entry.share / seen[0].share)
        percent = '<0.1 %' if entry.share < 0.0005 else f'{100 * entry.share:.1f} %'
        bar = swatch(entry.color_rgb, width)
        table.add_row(swatch(entry.color_rgb), entry.name, percent, bar)
    OUT.print(table)


def tell_blank(blank_count: int, frame_count: int, where: str = '') -> None:
    """
    Warn of frames that show nothing.

    :param where: what tells which these are
    """
    if blank_count:
        warn(
            f'warning: {blank_count} of {frame_count} frames show nothing, as behind a covered '
            'lens, or of 16 bits with fewer in use (--image-bit-depth): their masks mean nothing'
            + where
        )


def describe(sources: Sequence[str], segmenter: Segmenter, outcome: Outcome) -> dict[str, object]:
    """
    Return the record of a run.

    Shares are of pixels, 0 to 1; sizes are [height, width]; times are seconds for one frame.
    """
    frames = max(outcome.frame_count, 1)
    named = {'source': sources[0]} if len(sources) == 1 else {'sources': list(sources)}
    times_s = (outcome.stage_sums_s / frames).round(6).tolist()
    unlabelled_id = segmenter.settings.unlabelled_id
    shares = class_shares(outcome.counts, segmenter.label_set, unlabelled_id)
    return {
        **named,
        'created': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'espnet_ros': VERSION,
        'complete': not (outcome.error or outcome.interrupted or outcome.broken),
        'model': _model(segmenter),
        'runtime': {
            'name': segmenter.runtime.name,
            'precision': segmenter.runtime.precision,
            'device': segmenter.runtime.device,
        },
        'protocol': _protocol(segmenter),
        'frames': outcome.frame_count,
        'frames_that_show_nothing': outcome.blank_count,
        'frames_of_earlier_runs': outcome.earlier_count,
        'elapsed_s': round(outcome.elapsed_s, 3),
        'frames_per_s': round(outcome.rate_hz, 2),
        'stage_times_s': dict(zip(('prepare', 'inference', 'finish'), times_s, strict=True)),
        'classes': [
            {
                'id': entry.class_id,
                'name': entry.name,
                'color_rgb': list(entry.color_rgb),
                'share': round(entry.share, 6),
            }
            for entry in shares
        ],
        'images': [_image(record, segmenter) for record in outcome.records],
        'broken': [
            {'name': frame.name, 'index': frame.index, 'reason': frame.reason}
            for frame in outcome.broken
        ],
    }


def _model(segmenter: Segmenter) -> dict[str, object]:
    model = segmenter.runtime.model
    info = model.info
    return {
        'name': info.name,
        'path': None if model.path is None else str(model.path),
        'sha256': model.sha256,
        'architecture': info.architecture,
        'training_set': info.training_set,
        'license': info.license,
        'label_set': info.label_set.name,
    }


def _protocol(segmenter: Segmenter) -> dict[str, object]:
    settings = segmenter.settings
    runtime = segmenter.runtime
    is_float = runtime.resizes or runtime.input_spec.dtype != 'uint8'
    return {
        'preprocessing': FLOAT_PROTOCOL if is_float else UINT8_PROTOCOL,
        'resize': runtime.resize,
        'network_size': list(runtime.model.info.input_size),
        'mask_size': settings.mask_size,
        'roi': list(settings.roi),
        'unlabelled_id': settings.unlabelled_id,
        'confidence_threshold': settings.confidence_threshold,
        'label_groups': settings.label_groups,
    }


def _image(record: FrameRecord, segmenter: Segmenter) -> dict[str, object]:
    names = dict(enumerate(segmenter.label_set.names))
    names[segmenter.settings.unlabelled_id] = UNLABELLED
    pixels = sum(count for _, count in record.counts)
    recorded = {'stamp_ns': record.stamp_ns, 'frame_id': record.frame_id}
    return {
        'name': record.name,
        **(recorded if record.stamp_ns is not None else {}),
        **({'time_s': round(record.time_s, 6)} if record.time_s is not None else {}),
        'size': list(record.size),
        'mask_size': list(record.mask_size),
        **record.files,
        **({'shows_nothing': True} if record.is_blank else {}),
        'shares': {names[i]: round(count / pixels, 6) for i, count in record.counts},
    }
