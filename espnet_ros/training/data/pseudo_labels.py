"""Labels that a better network gives to images without any, computed once and kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
import json
import logging
from pathlib import Path
import shutil
from typing import Any

from espnet_ros.config import RuntimeSettings
from espnet_ros.datasets.base import IGNORED
from espnet_ros.datasets.folder import IMAGES, JPEG_QUALITY, LABEL_SET_FILE, label_set_file, LABELS
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.files import file_states, write_atomically
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile
from espnet_ros.processing.codecs import encode_jpeg, encode_png
from espnet_ros.processing.resize import resize_image
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import Frame, open_source, split_topic
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

KEY_FILE = 'made_of.json'
PARTS = (IMAGES, LABELS)

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
            if other.info.label_set.names != self.label_set.names:
                raise ConfigError(
                    f'teacher {other.info.name}: expected the classes of '
                    f'{self.models[0].info.name} ({", ".join(self.label_set.names)}), found '
                    f'{", ".join(other.info.label_set.names)}'
                )
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


@dataclass(frozen=True)
class Unlabelled:
    """
    Images without labels.

    :param sources: what ``espnet-ros segment`` takes, but webcams and the synthetic street
    :param every: of a source, every so manieth image
    :param size: (height, width) that images are kept at, in pixels; None for their own
    :raises ConfigError: there are no sources, or ``every`` is below 1
    """

    sources: tuple[str, ...]
    every: int = 1
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not self.sources:
            raise ConfigError('unlabelled images: expected a folder, a video or a bag, found none')
        if self.every < 1:
            raise ConfigError(f'every: expected 1 or more, found {self.every}')


def label_images(
    unlabelled: Unlabelled,
    teachers: Teachers,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """
    Write images and the labels of the teachers as a data set in folders.

    What is there already of the same images, teachers and settings is kept, so a call that was
    interrupted goes on, and one that was not costs nothing.

    :param folder: of ``images/``, ``labels/`` and ``labels.yaml``; created if missing
    :param progress: is called with the number of images that are done
    :return: how many images there are
    :raises InputError: no image can be read, or the folder holds something else
    """
    key = _key(unlabelled, teachers)
    known = _read_key(folder)
    if known.get('made_of') == key and known.get('images'):
        return int(known['images'])
    if known.get('made_of') != key:
        _clear(folder, is_ours='made_of' in known)
    _start(folder, key, teachers.label_set)
    done = 0
    with ExitStack() as stack:
        segmenters = [
            stack.enter_context(Segmenter(open_runtime(model, RuntimeSettings())))
            for model in teachers.all_models
        ]
        for name, image in _images(unlabelled):
            target, picture = folder / LABELS / f'{name}.png', folder / IMAGES / f'{name}.jpg'
            if not (target.is_file() and picture.is_file()):
                labels = _label(image, segmenters, teachers)
                write_atomically(picture, encode_jpeg(image, JPEG_QUALITY))
                write_atomically(target, encode_png(labels))
            done += 1
            progress(done)
    if not done:
        raise InputError(f'{", ".join(unlabelled.sources)}: expected images, found none')
    _write_key(folder, key, done)
    return done


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


def _label(
    image: NDArray[np.uint8], segmenters: Sequence[Segmenter], teachers: Teachers
) -> NDArray[np.uint8]:
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


def _images(unlabelled: Unlabelled) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Give the images of all sources at their size, by names that none of them shares."""
    for number, spec in enumerate(unlabelled.sources):
        with open_source(spec) as source:
            for index, frame in enumerate(source):
                if index % unlabelled.every:
                    continue
                if not isinstance(frame, Frame):
                    logger.warning('left out: %s', frame.reason)
                    continue
                image = frame.image_bgr
                if unlabelled.size is not None and image.shape[:2] != unlabelled.size:
                    resized = np.empty((*unlabelled.size, 3), np.uint8)
                    resize_image(image, resized)
                    image = resized
                yield f'{number:02d}_{frame.name}', image


def _state(path: Path) -> list[Any]:
    """Return what tells whether a file or the files of a folder have changed."""
    if not path.exists():
        raise InputError(f'{path}: expected a folder of images, a video or a bag, found none')
    return [str(path.resolve()), *file_states(path)]


def _key(unlabelled: Unlabelled, teachers: Teachers) -> dict[str, Any]:
    """Return what the labels follow from, as JSON gives it back."""
    key = {
        'teachers': teachers.key,
        'images': asdict(unlabelled),
        'files': [_state(split_topic(spec)[0]) for spec in unlabelled.sources],
    }
    read: dict[str, Any] = json.loads(json.dumps(key))
    return read


def _read_key(folder: Path) -> dict[str, Any]:
    try:
        known = json.loads((folder / KEY_FILE).read_text(encoding='utf-8'))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_key(folder: Path, key: dict[str, Any], images: int) -> None:
    """Write what the labels follow from, and how many there are; 0 until all are there."""
    text = json.dumps({'made_of': key, 'images': images}, indent=1)
    write_atomically(folder / KEY_FILE, text.encode())


def _clear(folder: Path, *, is_ours: bool) -> None:
    """
    Remove what an earlier call with other images or settings wrote.

    :raises InputError: the folder holds something that no such call wrote
    """
    if not folder.exists():
        return
    if not is_ours and (folder.is_file() or any(folder.iterdir())):
        raise InputError(
            f'{folder}: expected an empty folder or earlier pseudo labels ({KEY_FILE}), found '
            'something else; name another --output'
        )
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)


def _start(folder: Path, key: dict[str, Any], label_set: LabelSet) -> None:
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    _write_key(folder, key, 0)
    write_atomically(folder / LABEL_SET_FILE, label_set_file(label_set))
