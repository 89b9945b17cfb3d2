"""A whole training: its stages one after the other, its record, and the weights it ends with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
import logging
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import ConfigError, ModelError, OutputError
from espnet_ros.files import write_atomically
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.espnet import Espnet
from espnet_ros.models.espnet.enlargement import start_as_enlargement
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import Normalization
from espnet_ros.training.data.statistics import pixel_statistics
from espnet_ros.training.job import TrainingJob
from espnet_ros.training.recipes import Stage
from espnet_ros.training.reporting import EpochReport, Reporter, StepReport
from espnet_ros.training.stage_run import StageRun, STATE_FILE
from espnet_ros.training.weights.states import load_weights, save_weights, TrainedWeights
from espnet_ros.training.weights.transfer import transfer
import torch
from torch import Tensor

logger = logging.getLogger(__name__)

BEST_FILE = 'best.pth'
LAST_FILE = 'last.pth'
RECORD_FILE = 'training.json'


class Trainer:
    """
    Runs a job in a folder, where each stage keeps its state and its best weights.

    :param folder: of the results; a job that was interrupted there goes on
    :raises ConfigError: training and validation set differ in their classes, or another job
        was begun in the folder
    """

    def __init__(self, job: TrainingJob, folder: Path, reporters: Sequence[Reporter] = ()) -> None:
        self._job = job
        self._folder = folder
        self._reporters = tuple(reporters)
        self._record = job.describe()
        self._check_record()

    def run(self) -> TrainedWeights:
        """
        Train what is left of the job.

        :return: the best weights of the last stage
        :raises InputError: a file of the data cannot be used; it is named
        :raises ModelError: a state or the initial weights cannot be used
        :raises OutputError: results cannot be written
        """
        initial = self._job.initial
        normalization = initial.normalization if initial else pixel_statistics(self._job.train)
        weights: TrainedWeights | None = None
        for stage in self._job.recipe.stages:
            weights = self._run_stage(stage, normalization, weights)
        if weights is None:
            raise ConfigError(f'recipe {self._job.recipe.name}: expected a stage, found none')
        return weights

    def _run_stage(
        self, stage: Stage, normalization: Normalization, before: TrainedWeights | None
    ) -> TrainedWeights:
        folder = self._folder / stage.name
        best_path = folder / BEST_FILE
        if best_path.is_file() and not (folder / STATE_FILE).is_file():
            return load_weights(best_path)
        job = self._job
        network, arguments = self._make_network(stage, before)
        pipeline = SegmentationPipeline(network, normalization)
        keeper = _BestKeeper()
        run = StageRun(stage, pipeline, job, folder, (*self._reporters, keeper))
        self._write_record()

        def collect(state: dict[str, Tensor], epoch: int, miou: float) -> TrainedWeights:
            record = {
                **self._record,
                'stage': stage.name,
                'epoch': epoch,
                'validation_miou': miou,
                'history': [list(entry) for entry in run.progress.history],
            }
            return TrainedWeights(
                stage.architecture, arguments, state, job.train.label_set, normalization, record
            )

        def keep_best() -> None:
            progress = run.progress
            best = collect(run.best_state, progress.best_epoch, progress.best_miou)
            save_weights(best_path, best)

        keeper.keep = keep_best
        run.run()
        keep_best()
        last_epoch, _, last_miou = run.progress.history[-1]
        save_weights(folder / LAST_FILE, collect(run.last_state, last_epoch, last_miou))
        (folder / STATE_FILE).unlink(missing_ok=True)
        return load_weights(best_path)

    def _make_network(
        self, stage: Stage, before: TrainedWeights | None
    ) -> tuple[SegmentationNetwork, dict[str, Any]]:
        """Return the network that a stage starts with, and its arguments."""
        job = self._job
        torch.manual_seed(job.settings.seed)
        arguments = {'classes': len(job.train.label_set.classes), **job.architecture_arguments}
        if stage.architecture == 'espnet_c':
            arguments.pop('skip', None)
        network = create_model(stage.architecture, **arguments)
        if stage.enlarging_start and isinstance(network, Espnet):
            start_as_enlargement(network.decoder)
        if job.initial is not None:
            _tell_fresh(job.initial.name, transfer(job.initial.state_dict, network))
        if before is not None:
            transfer(before.state_dict, network)
        return network, arguments

    def _check_record(self) -> None:
        """Compare what the job is with the one that was begun here."""
        path = self._folder / RECORD_FILE
        try:
            if path.is_file():
                found = json.loads(path.read_text(encoding='utf-8'))
                ours = json.loads(json.dumps(self._record))
                different = [k for k, v in ours.items() if found.get(k) != v]
                if different:
                    raise ConfigError(
                        f'{self._folder}: another training was begun here (other '
                        f'{", ".join(different)}); give the same arguments to go on, or another '
                        'folder'
                    )
        except OSError as error:
            raise OutputError(f'{path}: cannot be read ({error.strerror})') from error
        except (AttributeError, ValueError) as error:
            raise ModelError(f'{path}: damaged ({error}); give another folder') from error

    def _write_record(self) -> None:
        """Write what the job is: not before it was checked, or a second try would be refused."""
        path = self._folder / RECORD_FILE
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f'{json.dumps(self._record, indent=2)}\n'.encode())
        except OSError as error:
            raise OutputError(f'{path}: cannot be written ({error.strerror})') from error


def _tell_fresh(name: str, fresh: Sequence[str]) -> None:
    """Log which parts of a network given weights do not fit."""
    parts = list(dict.fromkeys('.'.join(key.split('.')[:2]) for key in fresh))
    if parts:
        logger.warning(
            '%d tensors do not fit the weights of %s and start fresh: %s',
            len(fresh),
            name,
            ', '.join(parts),
        )


class _BestKeeper:
    """Writes the best weights after every validation that was better."""

    def __init__(self) -> None:
        self.keep: Callable[[], None] = lambda: None

    def on_step(self, report: StepReport) -> None:
        """Do nothing."""

    def on_epoch(self, report: EpochReport) -> None:
        """Write the weights where they are the best so far."""
        if report.best:
            self.keep()
