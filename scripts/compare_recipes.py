#!/usr/bin/env python3
"""
Write docs/models/recipes.md: ESPNet trained from scratch by the paper's recipe and by ours.

Each recipe gets the same images and as many epochs; the paper's divides them between its two
stages. A run that was interrupted goes on where it was: give the same folder. An hour on a CPU.
"""

from __future__ import annotations

import argparse
import time

from espnet_ros.training.recipes import find_recipe, Recipe
from short_trainings import add_options, find_record, make_job, run, shorten, Trained, write_row

NETWORK = 'ESPNet, alpha3 = 8, CamVid'

TEXT = """# Recipes, compared in short trainings

Written by `scripts/compare_recipes.py`; trained {when} on {machine}.

ESPNet (alpha2 = 2, alpha3 = 8) was trained **from scratch** on the {images} training images of
CamVid by each recipe of `espnet-ros train`: batches of {batch}, crops of {crop}, scaled by
{scales}, seed {seed}, {precision}, and {epochs} epochs in all. The paper's recipe (Adam at 5e-4,
halved every 100 epochs, no change of colour, no averaged weights, void a class) divides them
between its two stages, ESPNet-C and the decoder; `modern` has one stage. Weights are averaged by
{decay} there, for so few steps, and the learning rate rises for {warmup:g} epochs. These are
**short** trainings: they show how fast a recipe learns, not what it reaches in 300 epochs. One
seed each, so a difference of about a point means nothing.

mIoU is of the {val_images} validation images at 480x360, void ignored; the best of the
validations after every {every} epochs, for every recipe alike.

{recipes}

What makes the difference from scratch is how the decoder begins. Its weights are random in the
other two rows, and it takes long to learn to tell the classes apart that the encoder knows
already; by `modern` it begins as an enlargement of the encoder's scores
(`espnet_ros/models/espnet/enlargement.py`), while the labels teach the encoder's scores, too.
"""


def modern(options: argparse.Namespace, **changes: object) -> Recipe:
    """Return the modern recipe, as short as the options ask for."""
    recipe = find_recipe('modern').changed(
        average_decay=options.average_decay, warmup_epochs=options.epochs / 16, **changes
    )
    return shorten(recipe, options.epochs, options)


def train_all(options: argparse.Namespace) -> list[Trained]:
    """Train ESPNet by every recipe, or read what was trained before."""
    record = find_record(NETWORK, classes=12)
    paper = shorten(find_recipe('paper'), options.epochs // 2, options)
    recipes = {
        "`paper`, the paper's recipe": paper,
        '`modern`': modern(options),
        '`modern` with a random decoder, and labels at its end alone': modern(
            options, enlarging_start=False, auxiliary=0.0
        ),
    }
    return [run(name, record, recipe, options) for name, recipe in recipes.items()]


def table(trained: list[Trained]) -> str:
    """Return the results of recipes as a table, each against the first."""
    lines = [
        write_row(['Recipe', 'Epochs', 'CamVid val mIoU', 'Against the first', 'of epoch']),
        write_row(['---', *['---:'] * 4]),
    ]
    for entry in trained:
        stages = entry.weights.record['recipe']['stages']
        cells = [
            entry.name,
            ' + '.join(str(stage['epochs']) for stage in stages),
            f'{entry.miou:.2f}',
            f'{entry.miou - trained[0].miou:+.2f}',
            str(entry.weights.record['epoch']),
        ]
        lines.append(write_row(cells))
    return '\n'.join(lines)


def write(options: argparse.Namespace, trained: list[Trained]) -> None:
    """Write the page."""
    job = make_job(trained[0].record, modern(options), options)
    height, width = options.crop
    (stage,) = job.recipe.stages
    text = TEXT.format(
        when=time.strftime('%Y-%m-%d'),
        machine=options.machine,
        images=len(job.train),
        val_images=len(job.validation),
        epochs=options.epochs,
        batch=stage.batch_size,
        crop=f'{width}x{height}',
        scales='{} to {}'.format(*stage.augmentation.scales),
        decay=stage.average_decay,
        warmup=stage.warmup_epochs,
        seed=options.seed,
        precision=job.compute.precision,
        every=options.validate_every,
        recipes=table(trained),
    )
    options.document.write_text(text, encoding='utf-8')


def main() -> None:
    """Read the options, train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, 'recipes.md')
    parser.add_argument('--epochs', type=int, default=48, help='of a recipe, all its stages')
    options = parser.parse_args()
    write(options, train_all(options))


if __name__ == '__main__':
    main()
