"""Mapillary Vistas as distributed, its classes mapped to the seven categories of Cityscapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from espnet_ros.datasets.base import IGNORED, list_images, pair_up, PairDataset
from espnet_ros.datasets.label_files import read_bytes
from espnet_ros.exceptions import InputError
from espnet_ros.labels import load_label_set

CATEGORIES = (
    ('construction--flat', 'flat'),
    ('marking', 'flat'),
    ('object--catch-basin', 'flat'),
    ('object--manhole', 'flat'),
    ('object--pothole', 'flat'),
    ('construction', 'construction'),
    ('nature--sky', 'sky'),
    ('nature--water', ''),
    ('nature', 'nature'),
    ('human', 'human'),
    ('object--vehicle--boat', ''),
    ('object--vehicle', 'vehicle'),
    ('object--street-light', 'object'),
    ('object--support', 'object'),
    ('object--traffic-light', 'object'),
    ('object--traffic-sign', 'object'),
)
"""
The category of the classes whose name begins so; the first that fits. Others are unlabelled:
animals, void, and the furniture that Cityscapes labels as static. The paper, which maps the
classes likewise for its Table 1a, does not print its map.
"""

SPLITS = {'train': 'training', 'val': 'validation'}
CONFIGS = (('config.json', ''), ('config_v1.2.json', 'v1.2'), ('config_v2.0.json', 'v2.0'))
"""Names of the configuration, and the folder that its labels lie in, by version."""


def open_mapillary(root: Path, split: str) -> PairDataset:
    """
    Open one split.

    :param root: the folder that holds ``training/``, ``validation/`` and ``config.json``
    :raises InputError: a file is missing, or the configuration names no classes
    """
    config, version = _find_config(root)
    cityscapes = load_label_set('cityscapes')
    label_set = cityscapes.grouped(dict(cityscapes.groupings)['categories'], 'categories')
    colors: dict[tuple[int, ...], int] = {}
    values: dict[int, int] = {}
    for value, (name, color) in enumerate(_read_classes(config)):
        category = category_of(name)
        class_id = label_set.id_of(category) if category else IGNORED
        values[value] = colors[color] = class_id
    folder = root / SPLITS.get(split, split)
    pairs = pair_up(list_images(folder / 'images'), folder / version / 'labels')
    # Label files have a palette, so they arrive in the colours of the configuration.
    return PairDataset(f'Mapillary Vistas {split}', label_set, pairs, values, colors)


def category_of(name: str) -> str:
    """Return the category of a class of Mapillary Vistas; empty where it has none."""
    for start, category in CATEGORIES:
        if name == start or name.startswith(f'{start}--') or name.startswith(f'{start}-'):
            return category
    return ''


def _find_config(root: Path) -> tuple[Path, str]:
    for name, version in CONFIGS:
        if (root / name).is_file():
            return root / name, version
    names = ', '.join(name for name, _ in CONFIGS)
    raise InputError(f'{root}: expected Mapillary Vistas with one of {names}, found none')


def _read_classes(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    try:
        content: Any = json.loads(read_bytes(path))
        classes = [
            (str(entry['name']), tuple(int(v) for v in entry['color']))
            for entry in content['labels']
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{path}: expected the configuration of Mapillary Vistas (labels with name and '
            f'color), found a mistake at {error}'
        ) from error
    return classes
