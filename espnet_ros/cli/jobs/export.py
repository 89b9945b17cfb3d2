"""Turns a checkpoint or a foreign ONNX file into a model file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.cli._options import given, read_options
from espnet_ros.cli.jobs._models import is_checkpoint
from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.external import adapt_external
from espnet_ros.model_file.store import save_model_file


def run(arguments: argparse.Namespace) -> int:
    """Export ``arguments.source``; return the exit code."""
    output: Path = arguments.output
    if output.suffix != '.onnx':
        raise ConfigError(f'--output: expected a file name that ends with .onnx, found {output}')
    if output.resolve() == arguments.source.resolve():
        raise ConfigError(f'--output {output}: this is the source; give another name')
    labels = None if arguments.label_set is None else load_label_set(arguments.label_set)
    name = arguments.name or output.stem
    with ERROR.status(f'exporting {arguments.source}'):
        export = _export_checkpoint if is_checkpoint(arguments.source.name) else _adapt
        model = with_golden_labels(export(arguments, name, labels))
        save_model_file(model, output)
    height, width = model.info.input_size
    OUT.print(
        f'{output}: {model.info.name}, {len(model.info.label_set.classes)} classes, '
        f'{width}x{height}, {len(model.data) / 1e6:.1f} MB',
        soft_wrap=True,
        markup=False,
    )
    return _exit.DONE


def _export_checkpoint(
    arguments: argparse.Namespace, name: str, labels: LabelSet | None
) -> ModelFile:
    if given(arguments, ForeignModelSettings):
        raise ConfigError(
            '--mean, --std, --scale, --channel-order and --class-names belong to ONNX files of '
            'another origin; a checkpoint of ESPNet needs none of them'
        )
    # Only this needs torch, which a robot need not have.
    onnx_export = import_module('espnet_ros.export.onnx_export')
    model: ModelFile = onnx_export.export_checkpoint(
        arguments.source, name=name, label_set=labels, input_size=arguments.input_size
    )
    return model


def _adapt(arguments: argparse.Namespace, name: str, labels: LabelSet | None) -> ModelFile:
    settings = read_options(arguments, ForeignModelSettings)
    if labels is not None:
        settings = replace(settings, class_names=labels.names)
    model = adapt_external(arguments.source, settings)
    info = replace(model.info, name=name, label_set=labels or model.info.label_set)
    if arguments.input_size is not None:
        fixed_size = model.image_shape[1:3]
        if any(f not in (None, s) for f, s in zip(fixed_size, arguments.input_size, strict=True)):
            raise ConfigError(
                f'--input-size: {arguments.source} takes images of {fixed_size[0]},'
                f'{fixed_size[1]} only; leave it out, or export it with free sizes'
            )
        info = replace(info, input_size=arguments.input_size)
    return model.with_info(info)
