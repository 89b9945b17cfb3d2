#!/usr/bin/env python3
"""
Write docs/models/recipes.md: ESPNet trained from scratch by the paper's recipe and by ours.

Each recipe gets the same images and as many epochs for each of its two stages. A run that was
interrupted goes on where it was: give the same folder. An hour on a CPU.
"""

from __future__ import annotations

import argparse

from espnet_ros.training.recipes import find_recipe, Recipe
from espnet_ros.training.trainer import BEST_FILE
from espnet_ros.training.weights.states import load_weights
from short_trainings import (
    add_options,
    conditions,
    find_record,
    folder_name,
    make_job,
    run,
    shorten,
    Trained,
    write_row,
)

NETWORK = 'ESPNet, alpha3 = 8, CamVid'

TEXT = """# Recipes, compared in short trainings

Written by `scripts/compare_recipes.py --validate-every {every}`; trained {when} on {machine}.

ESPNet (alpha2 = 2, alpha3 = 8) was trained **from scratch** on the {images} training images of
CamVid by each recipe of `espnet-ros train`: batches of {batch}, crops of {crop}, scaled by
{scales}, seed {seed}, {precision}, and {epochs} epochs for each of the two stages, ESPNet-C and
the decoder. The paper's recipe is Adam at 5e-4, halved every 100 epochs, no change of colour, no
averaged weights, void a class. In `modern`, weights are averaged by {decay} here, for so few
steps, and the learning rate rises for {warmup:g} epochs. These are **short** trainings: they show
how fast a recipe learns, not what it reaches in 300 epochs. One seed each, so a difference of
about a point means nothing.

mIoU is of the {val_images} validation images at 480x360, void ignored; the best of the
validations after every {every} epochs, for every recipe alike.

{recipes}

They differ most in the second stage. A decoder with random weights takes long to learn the classes
that the encoder already knows. With `modern`, the decoder starts as an upsampling of the encoder's
scores (`espnet_ros/models/espnet/enlargement.py`), and the labels continue to train these scores.
"""


def modern(options: argparse.Namespace) -> Recipe:
    """Return the modern recipe, as short as the options ask for."""
    recipe = find_recipe('modern').changed(
        average_decay=options.average_decay, warmup_epochs=options.epochs / 16
    )
    return shorten(recipe, options.epochs, options)


def train_all(options: argparse.Namespace) -> list[Trained]:
    """Train ESPNet by every recipe, or read what was trained before."""
    record = find_record(NETWORK, classes=12)
    paper = shorten(find_recipe('paper'), options.epochs, options)
    recipes = {
        "`paper`, the paper's recipe": paper,
        '`modern`': modern(options),
    }
    return [run(name, record, recipe, options) for name, recipe in recipes.items()]


def encoder_miou(trained: Trained, options: argparse.Namespace) -> float:
    """Return how good the first stage became, the mIoU in percent."""
    weights = load_weights(options.output / folder_name(trained.name) / 'encoder' / BEST_FILE)
    return 100 * float(weights.record['validation_miou'])


def table(trained: list[Trained], options: argparse.Namespace) -> str:
    """Return the results of recipes as a table, each against the first."""
    lines = [
        write_row(['Recipe', 'mIoU of ESPNet-C', 'of ESPNet', 'Against the first', 'of epoch']),
        write_row(['---', *['---:'] * 4]),
    ]
    for entry in trained:
        cells = [
            entry.name,
            f'{encoder_miou(entry, options):.2f}',
            f'{entry.miou:.2f}',
            f'{entry.miou - trained[0].miou:+.2f}',
            str(entry.weights.record['epoch']),
        ]
        lines.append(write_row(cells))
    return '\n'.join(lines)


def write(options: argparse.Namespace, trained: list[Trained]) -> None:
    """Write the page."""
    job = make_job(trained[0].record, modern(options), options)
    text = TEXT.format(
        **conditions(job, options), epochs=options.epochs, recipes=table(trained, options)
    )
    options.document.write_text(text, encoding='utf-8')


def main() -> None:
    """Read the options, train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, 'recipes.md')
    parser.add_argument('--epochs', type=int, default=24, help='of each stage')
    options = parser.parse_args()
    write(options, train_all(options))


if __name__ == '__main__':
    main()
