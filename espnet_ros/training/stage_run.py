"""
One stage of a training, resumable after a kill at any moment.

The state that is written holds everything that the next step depends on; the samples of a step
depend on seed, epoch and index alone. So a run that was killed and resumed computes what one
that was not would have (on a CPU to the bit; some kernels of GPUs add up in any order).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import logging
import math
from pathlib import Path
import time

from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.evaluation.report import make_report
from espnet_ros.exceptions import InferenceError, InputError, ModelError
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.training.data.batches import Batch, BatchLoader
from espnet_ros.training.data.statistics import (
    class_frequencies,
    count_labels,
    warn_of_absent_classes,
)
from espnet_ros.training.distillation import distillation_loss
from espnet_ros.training.job import TrainingJob
from espnet_ros.training.losses import class_weights, SegmentationLoss
from espnet_ros.training.recipes import Stage
from espnet_ros.training.reporting import EpochReport, Reporter, StepReport
from espnet_ros.training.schedules import learning_rate
from espnet_ros.training.validation import validate
from espnet_ros.training.weights.averaging import WeightAverage
from espnet_ros.training.weights.states import read_tensors, write_tensors
import torch
from torch import nn, Tensor

logger = logging.getLogger(__name__)

STATE_FILE = 'state.pth'


@dataclass
class Progress:
    """
    Where a stage is.

    :param loss_sum: of the steps of this epoch
    :param best_miou: best validation so far, 0 to 1; -1 before the first
    :param best_epoch: its epoch, from 1
    :param history: (epoch, mean loss, mIoU) of every validation
    """

    step: int = 0
    loss_sum: float = 0.0
    best_miou: float = -1.0
    best_epoch: int = 0
    history: list[tuple[int, float, float]] = field(default_factory=list)


class StageRun:
    """
    Trains one network.

    :param pipeline: the network, with the weights to start from, and its normalisation
    :param folder: where the state goes, and where it is looked for
    :ivar best_state: averaged weights of the best validation; on the device
    :raises ModelError: the state cannot be read or is of another training
    """

    def __init__(
        self,
        stage: Stage,
        pipeline: SegmentationPipeline,
        job: TrainingJob,
        folder: Path,
        reporters: Sequence[Reporter] = (),
    ) -> None:
        self.stage = stage
        self.progress = Progress()
        self._job = job
        self._reporters = tuple(reporters)
        self._state_path = folder / STATE_FILE
        self._loader = BatchLoader(
            job.train,
            stage.augmentation,
            stage.batch_size,
            seed=job.settings.seed,
            workers=job.settings.workers,
        )
        compute = job.compute
        self._pipeline = pipeline.to(compute.device)
        self._network = pipeline.network.to(memory_format=compute.memory_format)  # type: ignore[call-overload]
        self._average = WeightAverage(self._pipeline, stage.average_decay)
        self._loss = _make_loss(stage, job.train).to(compute.device)
        if job.teacher is not None:
            job.teacher.to(compute.device)
        self._optimizer = make_optimizer(stage, self._network)
        self._scaler = torch.amp.GradScaler(
            compute.device.type, enabled=compute.precision == 'fp16'
        )
        forward: Callable[[Tensor], tuple[Tensor, ...]] = self._network.supervised_logits
        self._forward = compute.compiled(forward) if job.settings.compile else forward
        self.best_state: dict[str, Tensor] = {}
        if self._state_path.is_file():
            self._resume()

    def run(self) -> None:
        """
        Train to the end of the stage.

        :raises InputError: a file of the data cannot be used; it is named
        :raises InferenceError: the loss is no number any more
        """
        steps = len(self._loader)
        total = self.stage.epochs * steps
        started_s = saved_s = time.monotonic()
        first = self.progress.step
        while self.progress.step < total:
            epoch, start = divmod(self.progress.step, steps)
            for batch in self._loader.batches(epoch, start):
                rate = learning_rate(self.stage, self.progress.step, steps)
                loss = self._step(batch, rate)
                done = self.progress.step - first
                speed = done * self.stage.batch_size / (time.monotonic() - started_s)
                self._tell_step(loss, rate, total, speed)
                # The state after an epoch's last step is written when it was validated too.
                is_due = time.monotonic() - saved_s >= self._job.settings.save_every_s
                if is_due and self.progress.step % steps:
                    self.save()
                    saved_s = time.monotonic()
            report = self._end_epoch(epoch + 1)
            self.save()
            saved_s = time.monotonic()
            if report is not None:
                self._tell_epoch(report)

    @property
    def last_state(self) -> dict[str, Tensor]:
        """Return the averaged weights of this moment, on the device."""
        return self._average.pipeline.network.state_dict()

    def save(self) -> None:
        """Write everything that the next step depends on."""
        write_tensors(
            self._state_path,
            {
                'stage': self.stage.name,
                'seed': self._job.settings.seed,
                'steps_per_epoch': len(self._loader),
                'progress': vars(self.progress),
                'network': self._network.state_dict(),
                'average': self.last_state,
                'best': self.best_state,
                'optimizer': self._optimizer.state_dict(),
                'scaler': self._scaler.state_dict(),
                'random': torch.get_rng_state(),
                'random_of_gpus': torch.cuda.get_rng_state_all(),
            },
        )

    def _step(self, batch: Batch, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group['lr'] = rate
        self._network.train()
        images = batch.images.to(self._job.compute.device, non_blocking=True)
        labels = batch.labels.to(self._job.compute.device, non_blocking=True)
        with self._job.compute.autocast():
            logits, *auxiliary = self._logits(images)
        loss = self._loss(logits, labels) + self._distance_from_teacher(images, logits)
        for other in auxiliary:
            loss = loss + self.stage.loss.auxiliary * self._loss(other, labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InferenceError(
                f'the loss is not a number at step {self.progress.step + 1}; resume with a lower '
                'learning rate or in fp32'
            )
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._average.update(self._pipeline, self.progress.step)
        self.progress.step += 1
        self.progress.loss_sum += value
        return value

    def _logits(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits, and the auxiliary ones where they count."""
        image = self._pipeline.normalize(images)
        image = image.contiguous(memory_format=self._job.compute.memory_format)
        logits, *auxiliary = self._forward(image)
        if self.stage.full_size_labels and self._network.output_stride > 1:
            logits = nn.functional.interpolate(
                logits, image.shape[-2:], mode='bilinear', align_corners=False
            )
        return (logits, *auxiliary) if self.stage.loss.auxiliary else (logits,)

    def _distance_from_teacher(self, images: Tensor, logits: Tensor) -> Tensor | float:
        teacher, weight = self._job.teacher, self.stage.loss.distillation
        if teacher is None or weight == 0:
            return 0.0
        with self._job.compute.autocast():
            teacher_logits = teacher.logits(images)
        return weight * distillation_loss(logits, teacher_logits)

    def _end_epoch(self, epoch: int) -> EpochReport | None:
        """Validate where it is time to, and keep the weights that are the best so far."""
        progress, validation = self.progress, self._job.validation
        loss = progress.loss_sum / len(self._loader)
        progress.loss_sum = 0.0
        if epoch % self._job.settings.validate_every and epoch != self.stage.epochs:
            return None
        matrix = validate(self._average.pipeline, validation, self._job.compute)
        report = make_report(matrix.counts, validation.label_set, len(validation))
        miou = report.miou.void_ignored
        if math.isnan(miou):
            raise InputError(f'{validation.name}: expected labelled pixels, found none')
        best = miou > progress.best_miou
        if best:
            progress.best_miou, progress.best_epoch = miou, epoch
            self.best_state = {key: tensor.clone() for key, tensor in self.last_state.items()}
        progress.history.append((epoch, loss, miou))
        return EpochReport(
            self.stage.name, epoch, loss, miou, best, progress.step, report.averaged, report.absent
        )

    def _tell_epoch(self, report: EpochReport) -> None:
        for reporter in self._reporters:
            reporter.on_epoch(report)

    def _tell_step(self, loss: float, rate: float, total: int, speed: float) -> None:
        report = StepReport(self.stage.name, self.progress.step, total, loss, rate, speed)
        for reporter in self._reporters:
            reporter.on_step(report)

    def _resume(self) -> None:
        state = read_tensors(self._state_path)
        found = [state.get(key) for key in ('stage', 'seed', 'steps_per_epoch')]
        expected = [self.stage.name, self._job.settings.seed, len(self._loader)]
        if found != expected:
            raise ModelError(
                f'{self._state_path}: expected the state of this training (stage, seed, steps of '
                f'an epoch {expected}), found {found}; give the same arguments or another folder'
            )
        self._network.load_state_dict(state['network'])
        self._average.pipeline.network.load_state_dict(state['average'])
        self._optimizer.load_state_dict(state['optimizer'])
        self._scaler.load_state_dict(state['scaler'])
        torch.set_rng_state(state['random'])
        torch.cuda.set_rng_state_all(state['random_of_gpus'])
        self.progress = Progress(**state['progress'])
        self.best_state = {k: v.to(self._job.compute.device) for k, v in state['best'].items()}
        logger.info('resumed %s at step %d', self.stage.name, self.progress.step)


def make_optimizer(stage: Stage, network: nn.Module) -> torch.optim.Optimizer:
    """
    Return the optimiser of a stage.

    AdamW and SGD decay only weights of convolutions: norms and PReLU have none to lose. Adam
    decays all, as the authors' code.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    if stage.optimizer == 'adam':
        return torch.optim.Adam(
            parameters, stage.learning_rate, (0.9, 0.999), 1e-8, stage.weight_decay
        )
    groups = [
        {'params': [p for p in parameters if p.ndim > 1], 'weight_decay': stage.weight_decay},
        {'params': [p for p in parameters if p.ndim <= 1], 'weight_decay': 0.0},
    ]
    if stage.optimizer == 'sgd':
        return torch.optim.SGD(groups, stage.learning_rate, momentum=0.9)
    return torch.optim.AdamW(groups, stage.learning_rate)


def _make_loss(stage: Stage, train: LabelledDataset) -> SegmentationLoss:
    void_id = train.label_set.void_id
    counts = count_labels(train)
    warn_of_absent_classes(train, counts)
    weights = None
    if stage.loss.weighted:
        ignored = () if void_id is None or stage.loss.void == 'class' else (void_id,)
        frequencies = class_frequencies(counts, len(train.label_set.classes), ignored)
        weights = class_weights(frequencies, stage.loss.weight_offset)
    return SegmentationLoss(stage.loss, void_id, weights)
