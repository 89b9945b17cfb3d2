#!/usr/bin/env python3
"""
Write docs/models/comparison.md: networks trained alike from scratch, as the papers compare them.

Two claims of the ESPNet paper: ESPNet against ENet at as many parameters, and the ESP module
against those of figure 5 in the same ESPNet-C. Every network gets the same images, in the same
order, varied in the same way, for as many epochs, and the same optimiser. Then ESPNet by other
recipes. A run that was interrupted goes on where it was: give the same folder. Hours on a CPU.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
import re
import time

from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.registry import create_model
from espnet_ros.models.zoo import mac_count, ModelRecord, parameter_count, ZOO
from espnet_ros.training.datasets.opening import open_dataset
from espnet_ros.training.devices import choose_compute
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import find_recipe, LossRecipe, Recipe
from espnet_ros.training.states import TrainedWeights
from espnet_ros.training.trainer import Trainer

DOCUMENT = Path(__file__).resolve().parents[1] / 'docs' / 'models' / 'comparison.md'
COUNTED_SIZE = (360, 480)
FULL = ('ESPNet, alpha3 = 8, CamVid', 'ENet')
MODULES = (
    'ESPNet-C, alpha3 = 3',
    'ESPNet-C of MobileNet modules',
    'ESPNet-C of ShuffleNet modules',
    'ESPNet-C of Inception modules',
    'ESPNet-C of ResNeXt modules',
    'ESPNet-C of ResNet modules',
)
EQUAL_WEIGHTS = LossRecipe(weighted=False, dice=0.5)
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
decoder, which learn more slowly, for {full_epochs}. These are **short** trainings: they rank how
fast networks learn from few images, not what they reach in the papers' 300 epochs. One seed
each, so a difference of about a point means nothing.

mIoU is of the {val_images} validation images at 480x360, void ignored; the best of the
validations after every {every} epochs, for every network alike.

## ESPNet and ENet at as many parameters

The ESPNet paper (section 4.2) has ESPNet two points above ENet on the test images of Cityscapes
(60.3 and 58.3), after 300 epochs.

{full}

## The ESP module and those of figure 5

All are the same ESPNet-C with alpha2 = 2, alpha3 = 3; only the module differs. Figure 5 leaves
the inner widths of the others open. Here a MobileNet module is a depthwise and a pointwise
convolution, a ShuffleNet module has groups and a shuffle, a ResNet module is two 3x3
convolutions; the half width of ResNeXt and the four paths of Inception are our choice.

{modules}

## Recipes

ESPNet, alpha3 = 8. The paper's recipe (Adam at 5e-4, halved every 100 epochs, ESPNet-C first, no
change of colour, no averaged weights, void a class) gets {full_epochs} epochs for each of its two
stages, and so does training in two stages by the recipe of the first line: twice as many as the
others.

{recipes}
"""


@dataclass(frozen=True)
class Trained:
    """A network of the comparison and how good it became."""

    name: str
    record: ModelRecord
    weights: TrainedWeights

    @property
    def miou(self) -> float:
        """Return the best validation mIoU in percent, void ignored."""
        return 100 * float(self.weights.record['validation_miou'])


def find_record(name: str, classes: int) -> ModelRecord:
    """Return a network of the table with another number of classes."""
    (record,) = (record for record in ZOO if record.name == name)
    return replace(record, classes=classes)


def make_recipe(
    record: ModelRecord, epochs: int, options: argparse.Namespace, loss: LossRecipe
) -> Recipe:
    """Return the modern recipe, as short as the options ask for."""
    recipe = find_recipe('modern').changed(
        architecture=record.architecture,
        average_decay=options.average_decay,
        warmup_epochs=epochs / 16,
    )
    recipe = replace(recipe, stages=(replace(recipe.stages[0], loss=loss),))
    return shorten(recipe, epochs, options)


def shorten(recipe: Recipe, epochs: int, options: argparse.Namespace) -> Recipe:
    """Return a recipe with so many epochs, and the batches and crops of the options."""
    height, width = options.crop
    return recipe.changed(
        epochs=epochs,
        batch_size=options.batch_size,
        crop=(height, width),
        scales=(0.5, 1.5),
    )


def make_job(record: ModelRecord, recipe: Recipe, options: argparse.Namespace) -> TrainingJob:
    """Return the training of one network."""
    train, val = (
        open_dataset(options.camvid, split, format_name='camvid', label_set=None)
        for split in ('train', 'val')
    )
    return TrainingJob(
        recipe,
        train,
        val,
        RunSettings(seed=options.seed, workers=1, validate_every=options.validate_every),
        choose_compute(),
        dict(record.arguments),
    )


def train(name: str, epochs: int, options: argparse.Namespace) -> Trained:
    """Train one network as all others, or read what was trained before."""
    record = find_record(name, classes=12)
    recipe = make_recipe(record, epochs, options, LossRecipe())
    return run(name.removesuffix(', CamVid'), record, recipe, options)


def train_recipes(options: argparse.Namespace, modern: Trained) -> list[Trained]:
    """Train ESPNet by other recipes than that of all networks, which comes first."""
    record = modern.record
    epochs = options.full_epochs
    equal = make_recipe(record, epochs, options, EQUAL_WEIGHTS)
    decoder = make_recipe(record, epochs, options, LossRecipe()).stages[0]
    encoder = replace(decoder, name='encoder', architecture='espnet_c')
    staged = Recipe('modern', (encoder, replace(decoder, name='decoder')))
    paper = shorten(find_recipe('paper'), epochs, options)
    return [
        replace(modern, name='as above'),
        run('equal weights of the classes, and Dice (0.5)', record, equal, options),
        run('as above, ESPNet-C first', record, staged, options),
        run("the paper's recipe", record, paper, options),
    ]


def run(name: str, record: ModelRecord, recipe: Recipe, options: argparse.Namespace) -> Trained:
    """Run a training in its own folder."""
    print(f'{time.strftime("%H:%M:%S")} {name}', flush=True)
    folder = options.output / '_'.join(re.findall(r'[a-z0-9]+', name.lower()))
    weights = Trainer(make_job(record, recipe, options), folder).run()
    trained = Trained(name, record, weights)
    print(f'{time.strftime("%H:%M:%S")} {name}: {trained.miou:.2f}', flush=True)
    return trained


def table(trained: list[Trained]) -> str:
    """Return the results of networks as a table, each against the first."""
    lines = [HEADER, ('---', *('---:',) * 6)]
    for entry in trained:
        network = build(entry.record)
        history = entry.weights.record['history']
        lines.append(
            (
                entry.name,
                f'{parameter_count(network):,}',
                f'{mac_count(network, COUNTED_SIZE) / 1e9:.3f}',
                f'{entry.miou:.2f}',
                f'{entry.miou - trained[0].miou:+.2f}',
                str(entry.weights.record['epoch']),
                f'{history[-1][1]:.3f}',
            )
        )
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def build(record: ModelRecord) -> SegmentationNetwork:
    """Return the network with fresh weights."""
    return create_model(record.architecture, classes=record.classes, **record.arguments)


def write(
    options: argparse.Namespace,
    full: list[Trained],
    modules: list[Trained],
    recipes: list[Trained],
) -> None:
    """Write the page."""
    record = full[0].record
    recipe = make_recipe(record, options.full_epochs, options, LossRecipe())
    job = make_job(record, recipe, options)
    height, width = options.crop
    (stage,) = job.recipe.stages
    text = TEXT.format(
        when=time.strftime('%Y-%m-%d'),
        machine=options.machine,
        images=len(job.train),
        val_images=len(job.validation),
        epochs=options.epochs,
        full_epochs=options.full_epochs,
        batch=stage.batch_size,
        crop=f'{width}x{height}',
        scales='{} to {}'.format(*stage.augmentation.scales),
        rate=stage.learning_rate,
        decay=stage.average_decay,
        seed=options.seed,
        precision=job.compute.precision,
        every=options.validate_every,
        full=table(full),
        modules=table(modules),
        recipes=table(recipes),
    )
    options.document.write_text(text, encoding='utf-8')


def main() -> None:
    """Read the options, train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--camvid', type=Path, required=True, help='folder of CamVid')
    parser.add_argument('--output', type=Path, required=True, help='folder of the trainings')
    parser.add_argument('--document', type=Path, default=DOCUMENT)
    parser.add_argument('--machine', default='this machine', help='what it was trained on')
    parser.add_argument('--epochs', type=int, default=8, help='of ESPNet-C')
    parser.add_argument('--full-epochs', type=int, default=24, help='of networks with a decoder')
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--crop', type=int, nargs=2, default=(176, 240), metavar=('H', 'W'))
    parser.add_argument('--average-decay', type=float, default=0.98)
    parser.add_argument('--validate-every', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    modules = [train(name, options.epochs, options) for name in MODULES]
    full = [train(name, options.full_epochs, options) for name in FULL]
    write(options, full, modules, train_recipes(options, full[0]))


if __name__ == '__main__':
    main()
