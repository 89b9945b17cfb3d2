"""Keys of results: equal where source, model and settings are, so that nothing is done twice."""

from __future__ import annotations

from dataclasses import asdict, replace
import hashlib
import json
from pathlib import Path

from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pseudo_labels import find_label_set
from espnet_ros.segmenter import Segmenter


def settings_key(options: Options, segmenter: Segmenter) -> str:
    """Return what model and settings make of the key of each result."""
    runtime = segmenter.runtime
    labels_for = options.output.labels_for
    # Where results go and how many are wanted changes none of them.
    output = replace(options.output, output=Path(), limit=None, overwrite=False)
    return _digest(
        {
            'model': runtime.model.sha256,
            'foreign': asdict(options.model.foreign),
            'exact': options.model.exact,
            'runtime': [runtime.name, runtime.precision, runtime.settings.resize],
            'input_size': runtime.model.info.input_size,
            'images': asdict(options.images),
            'mask': asdict(options.mask),
            'style': asdict(options.style),
            'camera': asdict(options.camera),
            'output': asdict(output) | {'output': ''},
            'labels': None if labels_for is None else find_label_set(labels_for).to_dict(),
        }
    )


def result_key(settings: str, path: Path, name: str, limit: int | None = None) -> str:
    """
    Return the key of the results of a file or bag as it is now.

    :param settings: of :func:`settings_key`
    :param name: what the results are called after
    :param limit: how many frames of it are wanted
    """
    parts = sorted(path.rglob('*')) if path.is_dir() else [path]
    states = []
    for part in parts:
        found = part.stat()
        states.append([str(part.relative_to(path)), found.st_size, found.st_mtime_ns])
    return _digest([settings, str(path.resolve()), states, name, limit])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
