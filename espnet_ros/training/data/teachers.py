"""Better networks that label images: who they are, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from espnet_ros.datasets.base import IGNORED
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import check_same_classes, LabelSet
from espnet_ros.model_file import ModelFile
from espnet_ros.segmenter import Segmenter
import numpy as np
from numpy.typing import NDArray

_FULL = 255
"""The confidence of 1, as runtimes give it."""

Seen = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Labels and confidence of an image, uint8, (H, W) each."""


@dataclass(frozen=True)
class Teachers:
    """
    Who labels, and which of their labels are kept.

    :param models: one or more of the same classes; their confidences are averaged
    :param mirrored: whether each one also sees the image mirrored
    :param confidence: 0 to 1, below which a pixel stays unlabelled
    :param second: another model, whose labels replace those of ``models`` where it is surer; None
        for none
    :param second_confidence: which it needs to do so
    :param second_classes: which of its labels do so; empty for all
    :raises ConfigError: there are no models, they differ in their classes, or a confidence is none
    """

    models: tuple[ModelFile, ...]
    mirrored: bool = False
    confidence: float = 0.4
    second: ModelFile | None = None
    second_confidence: float = 0.65
    second_classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError('teachers: expected a model, found none')
        for name in ('confidence', 'second_confidence'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name}: expected 0 to 1, found {getattr(self, name)}')
        for other in self.all_models[1:]:
            name, labels = f'teacher {other.info.name}', other.info.label_set
            check_same_classes(name, labels, self.models[0].info.name, self.label_set)
        strange = [name for name in self.second_classes if name not in self.label_set.names]
        if strange:
            raise ConfigError(
                'classes of the second teacher: expected some of '
                f'{", ".join(self.label_set.names)}, found {", ".join(strange)}'
            )

    @property
    def label_set(self) -> LabelSet:
        """Return the classes of all of them."""
        return self.models[0].info.label_set

    @property
    def all_models(self) -> tuple[ModelFile, ...]:
        """Return the models that vote, then the second teacher."""
        return (*self.models, *([self.second] if self.second else []))

    @property
    def key(self) -> dict[str, Any]:
        """Return what their labels follow from."""
        return {
            'models': [model.sha256 for model in self.models],
            'mirrored': self.mirrored,
            'confidence': self.confidence,
            'second': self.second.sha256 if self.second else None,
            'second_confidence': self.second_confidence,
            'second_classes': list(self.second_classes),
        }


def vote(views: Sequence[Seen], classes: int) -> Seen:
    """
    Return the label of the highest mean confidence, and that mean.

    Of a view only the winner's confidence is known; the other classes share the rest equally.
    """
    if len(views) == 1:
        return views[0]
    # Whole numbers, so that the order of the views does not decide between equals.
    scores = np.zeros((classes, *views[0][0].shape), np.int32)
    for labels, confidence in views:
        winner = confidence.astype(np.int32)
        rest = _FULL - winner
        scores += rest
        index = labels[None].astype(np.intp)
        won = np.take_along_axis(scores, index, 0) + winner * (classes - 1) - rest
        np.put_along_axis(scores, index, won, 0)
    mean = scores.max(axis=0) / ((classes - 1) * len(views))
    return scores.argmax(axis=0).astype(np.uint8), np.round(mean).astype(np.uint8)


def merge_labels(first: Seen, second: Seen | None, teachers: Teachers) -> NDArray[np.uint8]:
    """
    Return what the teachers together say of an image.

    :param first: of those that vote
    :param second: of the second teacher, or None
    :return: uint8, (H, W), ``IGNORED`` where none is sure, or where void is seen
    """
    labels, confidence = first
    label_set = teachers.label_set
    sure = confidence >= round(teachers.confidence * _FULL)
    if second is not None:
        others, other_confidence = second
        wanted = [label_set.id_of(name) for name in teachers.second_classes or label_set.names]
        replaces = (
            np.isin(others, wanted)
            & (other_confidence >= round(teachers.second_confidence * _FULL))
            & (other_confidence > confidence)
        )
        sure |= (labels == others) | replaces
        labels = np.where(replaces, others, labels)
    if label_set.void_id is not None:
        sure &= labels != label_set.void_id
    return np.where(sure, labels, IGNORED).astype(np.uint8)


def label_image(
    image: NDArray[np.uint8], segmenters: Sequence[Segmenter], teachers: Teachers
) -> NDArray[np.uint8]:
    """Return the labels of an image by all teachers, whose segmenters come in their order."""
    voting = segmenters[: len(teachers.models)]
    views = [_see(image, segmenter) for segmenter in voting]
    if teachers.mirrored:
        mirrored = np.ascontiguousarray(image[:, ::-1])
        for segmenter in voting:
            labels, confidence = _see(mirrored, segmenter)
            views.append((labels[:, ::-1], confidence[:, ::-1]))
    second = _see(image, segmenters[-1]) if teachers.second else None
    return merge_labels(vote(views, len(teachers.label_set.names)), second, teachers)


def _see(image: NDArray[np.uint8], segmenter: Segmenter) -> Seen:
    (result,) = segmenter.segment([image], confidence=True)
    if result.confidence is None:
        raise ConfigError(f'{segmenter.runtime.name}: expected a confidence, found none')
    return result.labels, result.confidence
