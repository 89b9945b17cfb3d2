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
from espnet_ros.datasets.folder import (
    IMAGES,
    JPEG_QUALITY,
    LABEL_SET_FILE,
    label_set_file,
    LABELS,
)
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

Told = Callable[[int], None]


@dataclass(frozen=True)
class Sureness:
    """
    Which labels of the teachers are kept.

    :param first: confidence of the first teacher, 0 to 1, below which a pixel stays unlabelled
    :param second: confidence of the second teacher from which its label replaces that of the first
        one, where that one is less sure
    :param classes: which labels of the second teacher do so; empty for all
    :raises ConfigError: a confidence is none
    """

    first: float = 0.4
    second: float = 0.65
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ('first', 'second'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f'confidence of the {name} teacher: expected 0 to 1, found '
                    f'{getattr(self, name)}'
                )


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
    teachers: Sequence[ModelFile],
    sureness: Sureness,
    folder: Path,
    told: Told = lambda _: None,
) -> int:
    """
    Write images and the labels of the teachers as a data set in folders.

    What is there already of the same images, teachers and settings is kept, so a call that was
    interrupted goes on, and one that was not costs nothing.

    :param teachers: one or two models of the same classes
    :param folder: of ``images/``, ``labels/`` and ``labels.yaml``; created if missing
    :param told: is called with the number of images that are done
    :return: how many images there are
    :raises ConfigError: the teachers differ in their classes, or have none of those named
    :raises InputError: no image can be read, or the folder holds something else
    """
    label_set = _shared_label_set(teachers, sureness)
    key = _key(unlabelled, teachers, sureness)
    known = _read_key(folder)
    if known.get('made_of') == key and known.get('images'):
        return int(known['images'])
    if known.get('made_of') != key:
        _clear(folder, is_ours='made_of' in known)
    _start(folder, key, label_set)
    done = 0
    with ExitStack() as stack:
        segmenters = [
            stack.enter_context(Segmenter(open_runtime(teacher, RuntimeSettings())))
            for teacher in teachers
        ]
        for name, image in _images(unlabelled):
            target, picture = folder / LABELS / f'{name}.png', folder / IMAGES / f'{name}.jpg'
            if not (target.is_file() and picture.is_file()):
                labels = _see(image, segmenters, sureness, label_set)
                write_atomically(picture, encode_jpeg(image, JPEG_QUALITY))
                write_atomically(target, encode_png(labels))
            done += 1
            told(done)
    if not done:
        raise InputError(f'{", ".join(unlabelled.sources)}: expected images, found none')
    _write_key(folder, key, done)
    return done


def merge_labels(
    first: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    second: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None,
    sureness: Sureness,
    label_set: LabelSet,
) -> NDArray[np.uint8]:
    """
    Return what two teachers together say of an image.

    :param first: labels and confidence of the first teacher, uint8, (H, W) each
    :param second: those of the second one, or None
    :return: uint8, (H, W), ``IGNORED`` where none is sure, or where void is seen
    """
    labels, confidence = first
    sure = confidence >= round(sureness.first * _FULL)
    if second is not None:
        others, other_confidence = second
        wanted = _ids(sureness.classes, label_set)
        replaces = (
            np.isin(others, wanted)
            & (other_confidence >= round(sureness.second * _FULL))
            & (other_confidence > confidence)
        )
        sure |= (labels == others) | replaces
        labels = np.where(replaces, others, labels)
    if label_set.void_id is not None:
        sure &= labels != label_set.void_id
    return np.where(sure, labels, IGNORED).astype(np.uint8)


def _see(
    image: NDArray[np.uint8],
    segmenters: Sequence[Segmenter],
    sureness: Sureness,
    label_set: LabelSet,
) -> NDArray[np.uint8]:
    """Return the labels of an image as the teachers together see them."""
    seen = []
    for segmenter in segmenters:
        (result,) = segmenter.segment([image], confidence=True)
        if result.confidence is None:
            raise ConfigError(f'{segmenter.runtime.name}: expected a confidence, found none')
        seen.append((result.labels, result.confidence))
    return merge_labels(seen[0], seen[1] if len(seen) > 1 else None, sureness, label_set)


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


def _shared_label_set(teachers: Sequence[ModelFile], sureness: Sureness) -> LabelSet:
    label_set = teachers[0].info.label_set
    for teacher in teachers[1:]:
        if teacher.info.label_set.names != label_set.names:
            raise ConfigError(
                f'second teacher {teacher.info.name}: expected the classes of '
                f'{teachers[0].info.name} ({", ".join(label_set.names)}), found '
                f'{", ".join(teacher.info.label_set.names)}'
            )
    _ids(sureness.classes, label_set)
    return label_set


def _ids(names: Sequence[str], label_set: LabelSet) -> list[int]:
    strange = [name for name in names if name not in label_set.names]
    if strange:
        raise ConfigError(
            f'classes of the second teacher: expected some of {", ".join(label_set.names)}, '
            f'found {", ".join(strange)}'
        )
    return [label_set.id_of(name) for name in names or label_set.names]


def _state(path: Path) -> list[Any]:
    """Return what tells whether a file or the files of a folder have changed."""
    if not path.exists():
        raise InputError(f'{path}: expected a folder of images, a video or a bag, found none')
    return [str(path.resolve()), *file_states(path)]


def _key(
    unlabelled: Unlabelled, teachers: Sequence[ModelFile], sureness: Sureness
) -> dict[str, Any]:
    """Return what the labels follow from, as JSON gives it back."""
    key = {
        'teachers': [teacher.sha256 for teacher in teachers],
        'sureness': asdict(sureness),
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
