"""Learning from a better network beside the labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.file_kinds import is_checkpoint
from espnet_ros.labels import check_same_classes, LabelSet, load_label_set
from espnet_ros.model_file.store import open_model
from espnet_ros.models.checkpoints import load_checkpoint
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.runtimes.torch import rebuild_pipeline
from espnet_ros.training.weights.states import load_weights
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Teacher:
    """
    A trained network whose probabilities a smaller one imitates.

    It sees the same varied images as its pupil, normalised as its own weights want it.

    :param name: where it came from, for the record
    :param pipeline: network and normalisation
    """

    name: str
    pipeline: SegmentationPipeline
    label_set: LabelSet

    def check(self, label_set: LabelSet, crop: tuple[int, int]) -> None:
        """
        Check that it can teach a network of these classes on crops of this size.

        :raises ConfigError: it cannot
        """
        check_same_classes(
            f'teacher {self.name}',
            self.label_set,
            'the training data',
            label_set,
            'train it on them first, with --initial',
        )
        multiple = self.pipeline.network.size_multiple
        if any(side % multiple for side in crop):
            raise ConfigError(
                f'crop: expected multiples of {multiple} for the teacher {self.name}, found {crop}'
            )

    def to(self, device: torch.device) -> None:
        """Bring it to a device, ready to teach."""
        self.pipeline.to(device).eval().requires_grad_(False)

    @torch.no_grad()
    def logits(self, image_bgr: Tensor) -> Tensor:
        """
        Return what it thinks of a batch.

        :param image_bgr: uint8, (N, H, W, 3), on its device
        :return: float, (N, classes, H, W)
        """
        return self.pipeline.logits(image_bgr)


def open_teacher(name_or_path: str) -> Teacher:
    """
    Return a model, a published checkpoint or the weights of an earlier training as a teacher.

    :raises ModelError: there is none, or it cannot be used
    """
    if is_checkpoint(name_or_path):
        return read_teacher(Path(name_or_path).expanduser())
    model = open_model(name_or_path)
    return Teacher(model.info.name, rebuild_pipeline(model), model.info.label_set)


def read_teacher(path: Path) -> Teacher:
    """
    Read a checkpoint of the authors, or weights that an earlier training wrote.

    :raises ModelError: it is neither
    """
    try:
        weights = load_weights(path)
    except ModelError:
        checkpoint = load_checkpoint(path)
    else:
        pipeline = SegmentationPipeline(weights.build_network(), weights.normalization)
        return Teacher(_name(weights.architecture, weights.sha256), pipeline, weights.label_set)
    training_set = checkpoint.training_set
    pipeline = SegmentationPipeline(checkpoint.build_network(), training_set.normalization)
    label_set = load_label_set(training_set.label_set)
    return Teacher(_name(checkpoint.architecture, checkpoint.sha256), pipeline, label_set)


def _name(architecture: str, sha256: str) -> str:
    return f'{architecture} ({sha256[:12]})'


def distillation_loss(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """
    Return how far a network's probabilities are from those of its teacher.

    The pixel-wise distillation of Liu et al., "Structured Knowledge Distillation for Semantic
    Segmentation", CVPR 2019, section 3.1: the Kullback-Leibler divergence of every pixel, in
    nats, averaged. Void and unlabelled pixels count: a teacher has something to say there.

    :param logits: (N, classes, h, w)
    :param teacher_logits: (N, classes, H, W); resized where its size is another
    """
    teacher_logits = teacher_logits.float()
    if teacher_logits.shape[-2:] != logits.shape[-2:]:
        teacher_logits = functional.interpolate(
            teacher_logits, logits.shape[-2:], mode='bilinear', align_corners=False
        )
    divergence = functional.kl_div(
        logits.float().log_softmax(dim=1),
        teacher_logits.log_softmax(dim=1),
        reduction='none',
        log_target=True,
    )
    return divergence.sum(dim=1).mean()
