"""The record of a run, ``summary.json``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from espnet_ros.cli.jobs._frames import FrameRecord
from espnet_ros.cli.jobs._pipeline import Outcome
from espnet_ros.cli.jobs._shares import class_shares, UNLABELLED
from espnet_ros.segmenter import Segmenter
from espnet_ros.version import package_version

SUMMARY = 'summary.json'

UINT8_PROTOCOL = 'image resized as uint8 (bilinear), normalised in the network'
FLOAT_PROTOCOL = "image resized as float32 (bilinear), as the authors' code does"


def describe(source: str, segmenter: Segmenter, outcome: Outcome) -> dict[str, Any]:
    """
    Return the record of a run.

    Shares are of pixels, 0 to 1; sizes are [height, width]; times are seconds for one frame.
    """
    frames = max(outcome.frame_count, 1)
    times_s = (outcome.stage_sums_s / frames).round(6).tolist()
    unlabelled_id = segmenter.settings.unlabelled_id
    shares = class_shares(outcome.counts, segmenter.label_set, unlabelled_id)
    return {
        'source': source,
        'created': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'espnet_ros': package_version(),
        'complete': not (outcome.error or outcome.interrupted or outcome.broken),
        'model': _model(segmenter),
        'runtime': {
            'name': segmenter.runtime.name,
            'precision': segmenter.runtime.precision,
            'device': segmenter.runtime.device,
        },
        'protocol': _protocol(segmenter),
        'frames': outcome.frame_count,
        'elapsed_s': round(outcome.elapsed_s, 3),
        'frames_per_s': round(outcome.frame_count / max(outcome.elapsed_s, 1e-9), 2),
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


def _model(segmenter: Segmenter) -> dict[str, Any]:
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


def _protocol(segmenter: Segmenter) -> dict[str, Any]:
    settings = segmenter.settings
    runtime = segmenter.runtime
    is_float = runtime.resizes or runtime.input_spec.dtype != 'uint8'
    return {
        'preprocessing': FLOAT_PROTOCOL if is_float else UINT8_PROTOCOL,
        'resize': runtime.settings.resize,
        'network_size': list(runtime.model.info.input_size),
        'mask_size': settings.mask_size,
        'roi': list(settings.roi),
        'unlabelled_id': settings.unlabelled_id,
        'confidence_threshold': settings.confidence_threshold,
        'label_groups': settings.label_groups,
    }


def _image(record: FrameRecord, segmenter: Segmenter) -> dict[str, Any]:
    names = dict(enumerate(segmenter.label_set.names))
    names[segmenter.settings.unlabelled_id] = UNLABELLED
    pixels = sum(count for _, count in record.counts)
    recorded = {'stamp_ns': record.stamp_ns, 'frame_id': record.frame_id}
    return {
        'name': record.name,
        **(recorded if record.stamp_ns is not None else {}),
        'size': list(record.size),
        'mask_size': list(record.mask_size),
        **record.files,
        'shares': {names[i]: round(count / pixels, 6) for i, count in record.counts},
    }
