"""What is to be trained, on what, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.labels import check_same_classes
from espnet_ros.training.devices import Compute
from espnet_ros.training.distillation import Teacher
from espnet_ros.training.recipes import Recipe
from espnet_ros.training.weights.transfer import InitialWeights


@dataclass(frozen=True)
class RunSettings:
    """
    What a run needs besides the recipe.

    :param seed: of order, augmentation and fresh weights
    :param workers: threads that make samples
    :param validate_every: epochs between validations; the last epoch always has one
    :param save_every_s: seconds between states
    """

    seed: int = 0
    workers: int = 2
    validate_every: int = 1
    save_every_s: float = 60.0
    compile: bool = False


@dataclass(frozen=True)
class TrainingJob:
    """
    What is to be trained.

    :param architecture_arguments: of the network, without ``classes``
    :param validation: what decides which epoch is the best
    :param initial: weights to start from, or None for fresh ones
    :param teacher: a better network to learn from beside the labels, or None
    :raises ConfigError: training set, validation set and teacher do not fit each other
    """

    recipe: Recipe
    train: LabelledDataset
    validation: LabelledDataset
    settings: RunSettings
    compute: Compute
    architecture_arguments: dict[str, Any] = field(default_factory=dict)
    initial: InitialWeights | None = None
    teacher: Teacher | None = None

    def __post_init__(self) -> None:
        labels, validation = self.train.label_set, self.validation
        check_same_classes(validation.name, validation.label_set, self.train.name, labels)
        for stage in self.recipe.stages:
            if self.teacher is not None:
                self.teacher.check(labels, stage.augmentation.crop)

    def describe(self) -> dict[str, Any]:
        """Return the record of the job: two jobs of one record compute the same."""
        return {
            'recipe': self.recipe.to_dict(),
            'training_set': self.train.name,
            'training_images': len(self.train),
            'validation_set': self.validation.name,
            'label_set': self.train.label_set.name,
            'architecture_arguments': self.architecture_arguments,
            'initial_weights': self.initial.name if self.initial else '',
            'teacher': self.teacher.name if self.teacher else '',
            'seed': self.settings.seed,
            'precision': self.compute.precision,
        }
