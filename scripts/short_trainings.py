"""Short trainings from scratch on CamVid, all alike, for the pages that compare."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
import re
import time

from espnet_ros.datasets.opening import open_dataset
from espnet_ros.training.devices import choose_compute
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import Recipe
from espnet_ros.training.trainer import Trainer
from espnet_ros.training.weights.states import TrainedWeights
from paper_networks import PAPER_NETWORKS, PaperNetwork

DOCS = Path(__file__).resolve().parents[1] / 'docs' / 'models'
SCALES = (0.5, 1.5)


@dataclass(frozen=True)
class Trained:
    """A network of the comparison and how good it became."""

    name: str
    record: PaperNetwork
    weights: TrainedWeights

    @property
    def miou(self) -> float:
        """Return the best validation mIoU in percent, void ignored."""
        return 100 * float(self.weights.record['validation_miou'])


def find_record(name: str, classes: int) -> PaperNetwork:
    """Return a network of the table with another number of classes."""
    (record,) = (record for record in PAPER_NETWORKS if record.name == name)
    return replace(record, classes=classes)


def shorten(recipe: Recipe, epochs: int, options: argparse.Namespace) -> Recipe:
    """Return a recipe with so many epochs, and the batches and crops of the options."""
    height, width = options.crop
    return recipe.changed(
        epochs=epochs,
        batch_size=options.batch_size,
        crop=(height, width),
        scales=SCALES,
    )


def make_job(record: PaperNetwork, recipe: Recipe, options: argparse.Namespace) -> TrainingJob:
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


def run(name: str, record: PaperNetwork, recipe: Recipe, options: argparse.Namespace) -> Trained:
    """Run a training in its own folder."""
    print(f'{time.strftime("%H:%M:%S")} {name}', flush=True)
    weights = Trainer(make_job(record, recipe, options), options.output / folder_name(name)).run()
    trained = Trained(name, record, weights)
    print(f'{time.strftime("%H:%M:%S")} {name}: {trained.miou:.2f}', flush=True)
    return trained


def conditions(job: TrainingJob, options: argparse.Namespace) -> dict[str, object]:
    """Return what all trainings of a page have in common, by the names in its text."""
    stage = job.recipe.stages[-1]
    height, width = options.crop
    return {
        'when': time.strftime('%Y-%m-%d'),
        'machine': options.machine,
        'images': len(job.train),
        'val_images': len(job.validation),
        'batch': stage.batch_size,
        'crop': f'{width}x{height}',
        'scales': '{} to {}'.format(*stage.augmentation.scales),
        'decay': stage.average_decay,
        'warmup': stage.warmup_epochs,
        'rate': stage.learning_rate,
        'seed': options.seed,
        'precision': job.compute.precision,
        'every': options.validate_every,
    }


def folder_name(name: str) -> str:
    """Return the name of the folder that a training has below the output."""
    return '_'.join(re.findall(r'[a-z0-9]+', name.lower()))


def add_options(parser: argparse.ArgumentParser, page: str) -> None:
    """Declare what every comparison is told."""
    parser.add_argument('--camvid', type=Path, required=True, help='folder of CamVid')
    parser.add_argument('--output', type=Path, required=True, help='folder of the trainings')
    parser.add_argument('--document', type=Path, default=DOCS / page)
    parser.add_argument('--machine', default='this machine', help='what it was trained on')
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--crop', type=int, nargs=2, default=(176, 240), metavar=('H', 'W'))
    parser.add_argument('--average-decay', type=float, default=0.98)
    parser.add_argument('--validate-every', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)


def write_row(cells: list[str]) -> str:
    """Return a line of a table."""
    return f'| {" | ".join(cells)} |'
