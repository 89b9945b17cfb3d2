"""
How networks are trained: the paper's recipe and a modern one.

A recipe is data. What a user changes on the command line is a copy with other values, and the
copy is what a run records.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from espnet_ros.exceptions import ConfigError
from espnet_ros.training.data.augmentation import Augmentation

OPTIMIZERS = ('adam', 'adamw', 'sgd')
SCHEDULES = ('constant', 'halving', 'poly', 'cosine', 'one_cycle')
ESPNET = 'espnet'
VOID_TREATMENTS = ('ignore', 'class')


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f'{name}: expected one of {", ".join(choices)}, found {value!r}')


@dataclass(frozen=True)
class LossRecipe:
    """
    What the loss is made of.

    :param weighted: whether rare classes weigh more, 1 / ln(offset + frequency)
    :param weight_offset: the offset, above 1; 1.10 in the authors' code, 1.02 in ENet
    :param hard_share: share of the labelled pixels that train, the hardest ones; 1 is all
    :param dice: weight of the Dice loss beside the cross entropy
    :param auxiliary: weight of the loss of what the network thinks on its way, such as the
        scores of ESPNet's encoder (deep supervision); 0 for none
    :param distillation: weight of the distance from the teacher, where there is one
    :param void: ``ignore``: void pixels do not train, so void is never predicted; ``class``:
        void is a class like any other, as in the published weights
    """

    weighted: bool = True
    weight_offset: float = 1.10
    hard_share: float = 1.0
    dice: float = 0.0
    auxiliary: float = 0.0
    distillation: float = 1.0
    void: str = 'ignore'

    def __post_init__(self) -> None:
        if self.weight_offset <= 1:
            raise ConfigError(f'weight_offset: expected above 1, found {self.weight_offset}')
        if not 0 < self.hard_share <= 1:
            raise ConfigError(f'hard_share: expected above 0 and up to 1, found {self.hard_share}')
        for name in ('dice', 'auxiliary', 'distillation'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name}: expected 0 or more, found {getattr(self, name)}')
        _check_choice('void', self.void, VOID_TREATMENTS)


@dataclass(frozen=True)
class Stage:
    """
    One part of a training.

    :param name: names its folder
    :param architecture: key of the model registry
    :param optimizer: one of :data:`OPTIMIZERS`
    :param learning_rate: the highest one
    :param schedule: one of :data:`SCHEDULES`
    :param warmup_epochs: epochs over which the learning rate rises from zero; may be a part
    :param halving_epochs: of the schedule ``halving``
    :param average_decay: decay of the moving average of the weights for each step; 0 for none
    :param enlarging_start: whether a fresh decoder of ESPNet starts as an enlargement of its
        encoder's scores (:mod:`espnet_ros.models.espnet.enlargement`)
    :param full_size_labels: whether logits are brought to the size of the labels; otherwise
        labels are reduced to the size of the logits, as the paper does for ESPNet-C
    :raises ConfigError: a value that makes no sense
    """

    name: str
    architecture: str
    epochs: int
    batch_size: int
    augmentation: Augmentation
    loss: LossRecipe = LossRecipe()
    optimizer: str = 'adamw'
    learning_rate: float = 5e-4
    weight_decay: float = 5e-4
    schedule: str = 'poly'
    warmup_epochs: float = 0.0
    halving_epochs: int = 100
    average_decay: float = 0.0
    enlarging_start: bool = False
    full_size_labels: bool = True

    def __post_init__(self) -> None:
        _check_choice('optimizer', self.optimizer, OPTIMIZERS)
        _check_choice('schedule', self.schedule, SCHEDULES)
        for name in ('epochs', 'batch_size', 'learning_rate', 'halving_epochs'):
            if getattr(self, name) <= 0:
                raise ConfigError(f'{name}: expected above 0, found {getattr(self, name)}')
        if not 0 <= self.average_decay < 1:
            raise ConfigError(
                f'average_decay: expected 0 or more and below 1, found {self.average_decay}'
            )


@dataclass(frozen=True)
class Recipe:
    """
    A whole training.

    :param stages: one after the other; each starts from the best weights of the one before
    :param is_of_espnet: whether it trains that network alone
    :param has_spare_stages: whether the stages before the last only prepare a fresh ESPNet:
        another network, or one that starts from weights, goes without them
    """

    name: str
    stages: tuple[Stage, ...]
    is_of_espnet: bool = False
    has_spare_stages: bool = False

    def changed(self, **values: Any) -> Recipe:
        """
        Return the recipe with other values in every stage; None leaves a value as it is.

        :param values: fields of :class:`Stage`, of its augmentation, and of its loss
        """
        given = {key: value for key, value in values.items() if value is not None}
        varied, minimised = (
            {field.name: given.pop(field.name) for field in fields(part) if field.name in given}
            for part in (Augmentation, LossRecipe)
        )
        stages = tuple(
            replace(
                stage,
                **given,
                augmentation=replace(stage.augmentation, **varied),
                loss=replace(stage.loss, **minimised),
            )
            for stage in self.stages
        )
        return replace(self, stages=stages)

    def for_network(self, architecture: str, *, has_weights: bool) -> Recipe:
        """
        Return the recipe as it trains a network.

        :param has_weights: whether the network starts from weights
        :raises ConfigError: it does not train such a network
        """
        if architecture == ESPNET:
            trained = self
        elif self.is_of_espnet:
            raise ConfigError(
                f'recipe {self.name}: trains {ESPNET} in {len(self.stages)} stages, found '
                f'{architecture}; give --recipe modern'
            )
        else:
            trained = self.changed(architecture=architecture)
        if self.has_spare_stages and (architecture != ESPNET or has_weights):
            trained = replace(trained, stages=trained.stages[-1:])
        return trained

    def to_dict(self) -> dict[str, Any]:
        """Return what is trained as plain values, for the record of a run."""
        return {'name': self.name, 'stages': tuple(asdict(stage) for stage in self.stages)}


def _paper() -> Recipe:
    # ECCV 2018, section 4.1, and the authors' train/main.py; their flip was upside down.
    augmentation = Augmentation((512, 1024), (0.5, 1.5))
    encoder = Stage(
        'encoder',
        'espnet_c',
        epochs=300,
        batch_size=12,
        augmentation=augmentation,
        loss=LossRecipe(void='class'),
        optimizer='adam',
        schedule='halving',
        full_size_labels=False,
    )
    decoder = replace(
        encoder, name='decoder', architecture=ESPNET, batch_size=6, full_size_labels=True
    )
    return Recipe('paper', (encoder, decoder), is_of_espnet=True)


def _modern() -> Recipe:
    augmentation = Augmentation(
        (512, 1024),
        (0.5, 2.0),
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        white_balance=0.08,
        gamma=0.3,
    )
    stage = Stage(
        'network',
        ESPNET,
        epochs=300,
        batch_size=12,
        augmentation=augmentation,
        loss=LossRecipe(auxiliary=1.0),
        learning_rate=2e-3,
        weight_decay=1e-2,
        warmup_epochs=2,
        average_decay=0.998,
        enlarging_start=True,
    )
    encoder = replace(stage, name='encoder', architecture='espnet_c')
    return Recipe('modern', (encoder, stage), has_spare_stages=True)


RECIPES = {'paper': _paper(), 'modern': _modern()}


def find_recipe(name: str) -> Recipe:
    """
    Return a recipe by name.

    :raises ConfigError: there is none
    """
    _check_choice('recipe', name, tuple(RECIPES))
    return RECIPES[name]
