"""Turns a checkpoint or a foreign ONNX file into a model file."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, say
from espnet_ros.cli.export.options import Options
from espnet_ros.cli.options import changed
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.file_kinds import is_checkpoint
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.external import adapt_external
from espnet_ros.model_file.store import save_model_file


def run(options: Options) -> int:
    output = options.output
    if output.suffix != '.onnx':
        raise ConfigError(f'--output: expected a file name that ends with .onnx, found {output}')
    if output.resolve() == options.source.resolve():
        raise ConfigError(f'--output {output}: this is the source; give another name')
    labels = None if options.label_set is None else load_label_set(options.label_set)
    name = options.name or output.stem
    with ERROR.status(f'exporting {options.source}'):
        export = _export_checkpoint if is_checkpoint(options.source) else _adapt
        model = with_golden_labels(export(options, name, labels))
        save_model_file(model, output)
    height, width = model.info.input_size
    say(
        f'{output}: {model.info.name}, {len(model.info.label_set.classes)} classes, '
        f'{width}x{height}, {len(model.data) / 1e6:.1f} MB'
    )
    return exit_codes.DONE


def _export_checkpoint(options: Options, name: str, labels: LabelSet | None) -> ModelFile:
    if changed(options.foreign):
        raise ConfigError(
            '--mean, --std, --scale, --channel-order and --class-names belong to ONNX files of '
            'another origin; a checkpoint of ESPNet needs none of them'
        )
    # Only this needs torch, which a robot need not have.
    onnx_export = import_module('espnet_ros.export.onnx_export')
    model: ModelFile = onnx_export.export_checkpoint(
        options.source, name=name, label_set=labels, input_size=options.input_size
    )
    return model


def _adapt(options: Options, name: str, labels: LabelSet | None) -> ModelFile:
    settings = options.foreign
    if labels is not None:
        settings = replace(settings, class_names=labels.names)
    model = adapt_external(options.source, settings)
    info = replace(model.info, name=name, label_set=labels or model.info.label_set)
    if options.input_size is not None:
        fixed_size = model.image_shape[1:3]
        if any(f not in (None, s) for f, s in zip(fixed_size, options.input_size, strict=True)):
            raise ConfigError(
                f'--input-size: {options.source} takes images of {fixed_size[0]},'
                f'{fixed_size[1]} only; leave it out, or export it with free sizes'
            )
        info = replace(info, input_size=options.input_size)
    return model.with_info(info)
