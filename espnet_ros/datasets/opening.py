"""From what a user names to a labelled data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.datasets.camvid import open_camvid
from espnet_ros.datasets.cityscapes import open_cityscapes
from espnet_ros.datasets.folder import LABEL_SET_FILE, open_folder, parts_of, WINDOW
from espnet_ros.datasets.mapillary import open_mapillary
from espnet_ros.datasets.pascal_voc import open_pascal_voc
from espnet_ros.datasets.street import StreetDataset
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.sources.street.source import SIZE

SYNTHETIC = 'synthetic'
"""The name of the synthetic street, which lies in no folder."""

FORMATS = ('camvid', 'cityscapes', 'pascal_voc', 'mapillary', 'folder')

STREET_FRAMES = {'train': 128, 'val': 32}
STREET_SEEDS = {'train': 1000, 'val': 2000}
"""Training, validation and demonstration (seeds from 0) show different streets."""

_OTHER_SEED = 3000

_OF_FIXED_CLASSES: dict[str, Callable[[Path, str], LabelledDataset]] = {
    'cityscapes': open_cityscapes,
    'pascal_voc': open_pascal_voc,
    'mapillary': open_mapillary,
}


def open_dataset(
    data: str,
    split: str,
    *,
    format_name: str = 'auto',
    label_set: LabelSet | str | None = None,
    window: tuple[int, int] = WINDOW,
) -> LabelledDataset:
    """
    Open one split of a data set.

    :param data: its folder, or ``synthetic``: the street as its camera sees it, 960x540
    :param format_name: one of :data:`FORMATS`; ``auto`` tells by what lies in the folder
    :param label_set: the classes of formats that do not fix them, or their name or file
    :param window: (height, width) of what is read of pictures too large for memory
    :raises ConfigError: an unknown format, or a label set for a format that has its own
    :raises InputError: the folder is not in that format
    """
    if isinstance(label_set, str):
        label_set = load_label_set(label_set)
    if data == SYNTHETIC:
        return StreetDataset(
            STREET_FRAMES.get(split, STREET_FRAMES['val']),
            first_seed=STREET_SEEDS.get(split, _OTHER_SEED),
            size=SIZE,
            endless=False,
        )
    root = Path(data).expanduser()
    if format_name == 'auto':
        format_name = _find_format(root, split)
    if format_name not in FORMATS:
        raise ConfigError(f'format: expected one of {", ".join(FORMATS)}, found {format_name!r}')
    if format_name == 'camvid':
        return open_camvid(root, split, label_set)
    if format_name == 'folder':
        return open_folder(root, split, label_set, window)
    if label_set is not None:
        raise ConfigError(f'label set: the format {format_name} has its own; leave it out')
    return _OF_FIXED_CLASSES[format_name](root, split)


def _find_format(root: Path, split: str) -> str:
    if not root.is_dir():
        raise ConfigError(f'{root}: expected the folder of a data set, found no such folder')
    # First, as a recording may be called as a mark of another format.
    if (root / LABEL_SET_FILE).is_file() and parts_of(root):
        return 'folder'
    marks = {
        'camvid': root / f'{split}annot',
        'cityscapes': root / 'leftImg8bit',
        'pascal_voc': root / 'SegmentationClass',
        'mapillary': root / 'training' / 'images',
        'folder': root / 'images',
    }
    for format_name, mark in marks.items():
        if mark.is_dir():
            return format_name
    expected = ', '.join(f'{path.relative_to(root)}/ ({name})' for name, path in marks.items())
    raise ConfigError(
        f'{root}: expected one of {expected}; put images into images/, labels into labels/ and '
        f'the classes into {LABEL_SET_FILE}'
    )
