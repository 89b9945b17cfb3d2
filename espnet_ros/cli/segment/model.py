"""The model of a command line, opened."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.cli.segment.options import Options
from espnet_ros.export.any_model import open_any_model
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter


def read_model(options: Options) -> ModelFile:
    """
    Return the model, not opened yet.

    :raises ModelError: there is none, or it cannot be used
    """
    model = open_any_model(options.model.model, options.model.foreign)
    return model.with_float_image() if options.model.exact else model


def open_segmenter(options: Options) -> Segmenter:
    """
    Return the segmenter, warm.

    :raises ModelError: there is no such model, or it cannot be used
    :raises RuntimeUnavailableError: nothing here runs it as requested
    """
    settings = options.runtime
    if options.model.exact and settings.precision == 'auto':
        settings = replace(settings, precision='fp32')
    segmenter = Segmenter(open_runtime(read_model(options), settings), options.mask)
    segmenter.warm_up()
    return segmenter
