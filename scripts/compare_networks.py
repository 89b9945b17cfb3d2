#!/usr/bin/env python3
"""
Write docs/models/comparison.md: networks trained alike from scratch, as the papers compare them.

Two claims of the ESPNet paper: ESPNet against ENet at as many parameters, and the ESP module
against those of figure 5 in the same ESPNet-C. Every network gets the same images, in the same
order, varied in the same way, for as many epochs, and the same optimiser. A run that was
interrupted goes on where it was: give the same folder. Hours on a CPU.
"""

from __future__ import annotations

import argparse

from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.registry import create_model
from espnet_ros.training.recipes import find_recipe, Recipe
from paper_networks import mac_count, PaperNetwork, parameter_count
from short_trainings import (
    add_options,
    conditions,
    find_record,
    make_job,
    run,
    shorten,
    Trained,
    write_row,
)

COUNTED_SIZE = (360, 480)
LEARNING_RATE = 1e-3
FULL = ('ESPNet, alpha3 = 8, CamVid', 'ENet')
MODULES = (
    'ESPNet-C, alpha3 = 3',
    'ESPNet-C of MobileNet modules',
    'ESPNet-C of ShuffleNet modules',
    'ESPNet-C of Inception modules',
    'ESPNet-C of ResNeXt modules',
    'ESPNet-C of ResNet modules',
)
HEADER = (
    'Network',
    'Parameters',
    'GMAC at 480x360',
    'CamVid val mIoU',
    'Against the first',
    'of epoch',
    'Last loss',
)

TEXT = """# The papers' comparisons, trained here

Written by `scripts/compare_networks.py`; trained {when} on {machine}.

Every network was trained **from scratch** on the {images} training images of CamVid, all in the
same way: batches of {batch}, crops of {crop}, scaled by {scales}, mirrored, varied in colour;
AdamW at {rate}, poly schedule, weights averaged by {decay}, cross entropy weighted by class
frequency, seed {seed}, {precision}. ESPNet-C was trained for {epochs} epochs, networks with a
decoder, which learn more slowly, for {full_epochs}. These are **short** trainings: they show how
fast networks learn from few images, not what they reach in the papers' 300 epochs. There is only
one seed per network, so a difference of about a point means nothing.

mIoU is of the {val_images} validation images at 480x360, void ignored; the best of the
validations after every {every} epochs, for every network alike.

## ESPNet and ENet with about as many parameters

In the ESPNet paper (section 4.2), after 300 epochs, ESPNet is two points above ENet on the test
images of Cityscapes (60.3 and 58.3).

{full}

## The ESP module and those of figure 5

All are the same ESPNet-C with alpha2 = 2, alpha3 = 3; only the module differs. Figure 5 does
not give the inner widths of the others. Here a MobileNet module is a depthwise and a pointwise
convolution, a ShuffleNet module has groups and a shuffle, a ResNet module is two 3x3
convolutions; the half width of ResNeXt and the four paths of Inception are our choice.

{modules}
"""


def make_recipe(record: PaperNetwork, epochs: int, options: argparse.Namespace) -> Recipe:
    """Return the modern recipe without what only ESPNet has, as short as the options ask for."""
    recipe = find_recipe('modern').for_network(record.architecture, has_weights=True)
    recipe = recipe.changed(
        average_decay=options.average_decay,
        warmup_epochs=epochs / 16,
        learning_rate=LEARNING_RATE,
        enlarging_start=False,
        auxiliary=0.0,
    )
    return shorten(recipe, epochs, options)


def train(name: str, epochs: int, options: argparse.Namespace) -> Trained:
    """Train one network as all others, or read what was trained before."""
    record = find_record(name, classes=12)
    recipe = make_recipe(record, epochs, options)
    return run(name.removesuffix(', CamVid'), record, recipe, options)


def table(trained: list[Trained]) -> str:
    """Return the results of networks as a table, each against the first."""
    lines = [write_row([*HEADER]), write_row(['---', *['---:'] * 6])]
    for entry in trained:
        network = build(entry.record)
        history = entry.weights.record['history']
        cells = [
            entry.name,
            f'{parameter_count(network):,}',
            f'{mac_count(network, COUNTED_SIZE) / 1e9:.3f}',
            f'{entry.miou:.2f}',
            f'{entry.miou - trained[0].miou:+.2f}',
            str(entry.weights.record['epoch']),
            f'{history[-1][1]:.3f}',
        ]
        lines.append(write_row(cells))
    return '\n'.join(lines)


def build(record: PaperNetwork) -> SegmentationNetwork:
    """Return the network with fresh weights."""
    return create_model(record.architecture, classes=record.classes, **record.arguments)


def write(
    options: argparse.Namespace,
    full: list[Trained],
    modules: list[Trained],
) -> None:
    """Write the page."""
    record = full[0].record
    recipe = make_recipe(record, options.full_epochs, options)
    job = make_job(record, recipe, options)
    text = TEXT.format(
        **conditions(job, options),
        epochs=options.epochs,
        full_epochs=options.full_epochs,
        full=table(full),
        modules=table(modules),
    )
    options.document.write_text(text, encoding='utf-8')


def main() -> None:
    """Read the options, train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, 'comparison.md')
    parser.add_argument('--epochs', type=int, default=8, help='of ESPNet-C')
    parser.add_argument('--full-epochs', type=int, default=24, help='of networks with a decoder')
    options = parser.parse_args()
    modules = [train(name, options.epochs, options) for name in MODULES]
    full = [train(name, options.full_epochs, options) for name in FULL]
    write(options, full, modules)


if __name__ == '__main__':
    main()
