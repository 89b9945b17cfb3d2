"""Keys of results: equal where source, model and settings are, so that nothing is done twice."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from espnet_ros.cli.segment.options import Options
from espnet_ros.cli.segment.pseudo_labels import find_label_set
from espnet_ros.files import file_states
from espnet_ros.fleet.unit import digest
from espnet_ros.model_file import ModelFile
from espnet_ros.segmenter import Segmenter


def settings_key(options: Options, segmenter: Segmenter) -> str:
    """Return what model and settings make of the key of each result."""
    runtime = segmenter.runtime
    run = [runtime.name, runtime.precision, runtime.resize]
    return _key(options, runtime.model, [*run, runtime.model.info.input_size])


def fleet_key(options: Options, model: ModelFile) -> str:
    """Return the same where the runtime is opened elsewhere: by what was requested of it."""
    runtime = options.runtime
    run = [runtime.runtime, runtime.precision, runtime.device, runtime.resize]
    return _key(options, model, [*run, runtime.input_size, options.output.limit])


def _key(options: Options, model: ModelFile, runtime: list[object]) -> str:
    labels_for = options.output.labels_for
    # Where results go and how many are wanted changes none of them.
    output = replace(options.output, output='', limit=None, overwrite=False)
    return digest(
        {
            'model': model.sha256,
            'foreign': asdict(options.model.foreign),
            'exact': options.model.exact,
            'runtime': runtime,
            'images': asdict(options.images),
            'mask': asdict(options.mask),
            'style': asdict(options.style),
            'camera': asdict(options.camera),
            'output': asdict(output),
            'slides': asdict(options.slides) if options.slides.tile else None,
            'labels': None if labels_for is None else find_label_set(labels_for).to_dict(),
        }
    )


def result_key(settings: str, path: Path, name: str, limit: int | None = None) -> str:
    """
    Return the key of the results of a file or bag as it is now.

    :param limit: how many frames of it are wanted
    """
    return digest([settings, str(path.resolve()), file_states(path), name, limit])
