"""Labels that a better network gives to images without any, computed once and kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
import json
import logging
import math
from pathlib import Path
import shutil
from typing import Any

from espnet_ros.config import RuntimeSettings
from espnet_ros.datasets.folder import IMAGES, JPEG_QUALITY, LABEL_SET_FILE, label_set_file, LABELS
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.files import file_states, write_atomically
from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_jpeg, encode_png
from espnet_ros.processing.preprocess import resize_image
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import Frame, open_source, split_topic
from espnet_ros.training.data.teachers import label_image, Teachers
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

KEY_FILE = 'made_of.json'
PARTS = (IMAGES, LABELS)


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
                labels = label_image(image, segmenters, teachers)
                write_atomically(picture, encode_jpeg(image, JPEG_QUALITY))
                write_atomically(target, encode_png(labels))
            done += 1
            progress(done)
    if not done:
        raise InputError(f'{", ".join(unlabelled.sources)}: expected images, found none')
    _write_key(folder, key, done)
    return done


def count_images(unlabelled: Unlabelled) -> float:
    """
    Return how many images there are, as their sources announce them; endless where one does not.

    :raises InputError: a source cannot be read
    """
    total = 0.0
    for spec in unlabelled.sources:
        with open_source(spec) as source:
            count = source.frame_count
            total += math.inf if count is None else -(-count // unlabelled.every)
    return total


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
