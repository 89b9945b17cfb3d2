"""Data sets as they are distributed, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path
import struct
import subprocess
import sys

import cv2
from espnet_ros.datasets import IGNORED
from espnet_ros.datasets.mapillary import category_of
from espnet_ros.datasets.mixed import MixedDataset
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.datasets.street import StreetDataset
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import load_label_set
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZE = (16, 24)


def write(path: Path, array: np.ndarray) -> None:
    """Write an image file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def picture() -> np.ndarray:
    return np.full((*SIZE, 3), 90, np.uint8)


def ids(value: int, other: int) -> np.ndarray:
    """Return labels whose left half is ``value``."""
    labels = np.full(SIZE, other, np.uint8)
    labels[:, : SIZE[1] // 2] = value
    return labels


def test_camvid_layout_is_read_in_order_of_names(camvid: Path) -> None:
    dataset = open_dataset(str(camvid), 'train')
    sample = dataset.load(2)
    assert len(dataset) == 6
    assert dataset.label_set.name == 'camvid'
    assert sample.name == 'image_2'
    assert sample.image_bgr.shape == (48, 64, 3)
    assert set(np.unique(sample.labels)) == {0, 1, 2, 11}


def test_real_camvid_has_its_splits(shared_data: Path) -> None:
    root = str(shared_data / 'camvid')
    assert [len(open_dataset(root, split)) for split in ('train', 'val')] == [367, 101]
    sample = open_dataset(root, 'val').load(50)
    assert sample.labels.shape == (360, 480)
    assert sample.labels.max() <= 11


@pytest.mark.parametrize('end', ['labelTrainIds', 'labelIds'])
def test_cityscapes_train_ids_and_label_ids_give_the_same(tmp_path: Path, end: str) -> None:
    write(tmp_path / 'leftImg8bit/val/ulm/ulm_1_leftImg8bit.png', picture())
    labels = ids(0, 255) if end == 'labelTrainIds' else ids(7, 4)
    write(tmp_path / f'gtFine/val/ulm/ulm_1_gtFine_{end}.png', labels)
    dataset = open_dataset(str(tmp_path), 'val')
    assert np.array_equal(dataset.load(0).labels, ids(0, 19))
    assert dataset.label_set.void_id == 19


def test_pascal_voc_is_read_by_colour_and_by_id(tmp_path: Path) -> None:
    for stem in ('a', 'b'):
        write(tmp_path / f'JPEGImages/{stem}.jpg', picture())
    write(tmp_path / 'SegmentationClass/a.png', ids(15, 255))
    colors = np.zeros((*SIZE, 3), np.uint8)
    colors[:] = (192, 224, 224)
    colors[:, : SIZE[1] // 2] = (128, 128, 192)
    write(tmp_path / 'SegmentationClass/b.png', colors)
    (tmp_path / 'ImageSets/Segmentation').mkdir(parents=True)
    (tmp_path / 'ImageSets/Segmentation/val.txt').write_text('a\nb\n')
    dataset = open_dataset(str(tmp_path), 'val')
    assert dataset.label_set.names[15] == 'person'
    for index in range(2):
        assert np.array_equal(dataset.load(index).labels, ids(15, IGNORED))


def test_mapillary_becomes_the_seven_categories(tmp_path: Path) -> None:
    classes = [
        {'name': 'construction--flat--road', 'color': [128, 64, 128]},
        {'name': 'void--ego-vehicle', 'color': [120, 10, 10]},
    ]
    (tmp_path / 'config.json').write_text(json.dumps({'labels': classes}))
    write(tmp_path / 'training/images/a.jpg', picture())
    labels = np.zeros((*SIZE, 3), np.uint8)
    labels[:] = (10, 10, 120)
    labels[:, : SIZE[1] // 2] = (128, 64, 128)
    write(tmp_path / 'training/labels/a.png', labels)
    dataset = open_dataset(str(tmp_path), 'train')
    assert len(dataset.label_set.classes) == 7
    road = dataset.label_set.id_of('flat')
    assert np.array_equal(dataset.load(0).labels, ids(road, IGNORED))


@pytest.mark.parametrize(
    ('name', 'category'),
    [
        ('construction--barrier--fence', 'construction'),
        ('construction--flat--sidewalk', 'flat'),
        ('marking--general', 'flat'),
        ('human--rider--bicyclist', 'human'),
        ('nature--sky', 'sky'),
        ('nature--water', ''),
        ('object--traffic-sign--front', 'object'),
        ('object--support--traffic-sign-frame', 'object'),
        ('object--vehicle--wheeled-slow', 'vehicle'),
        ('object--trash-can', ''),
        ('void--car-mount', ''),
    ],
)
def test_mapillary_classes_have_their_category(name: str, category: str) -> None:
    assert category_of(name) == category


def make_folder(root: Path, count: int) -> Path:
    """Write a plain folder of images and labels with two classes."""
    for index in range(count):
        write(root / f'images/street_{index}.jpg', picture())
        write(root / f'labels/street_{index}.png', ids(0, 1))
    (root / 'labels.yaml').write_text(
        'name: mine\nclasses:\n'
        '  - {name: road, color: [1, 2, 3]}\n  - {name: rest, color: [4, 5, 6]}\n'
    )
    return root


def test_a_plain_folder_keeps_some_images_for_validation(tmp_path: Path) -> None:
    root = str(make_folder(tmp_path, 60))
    train, val = open_dataset(root, 'train'), open_dataset(root, 'val')
    names = [{d.load(i).name for i in range(len(d))} for d in (train, val)]
    assert train.label_set.names == ('road', 'rest')
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 60
    assert 1 <= len(val) <= 15


def test_label_files_in_the_colours_of_the_label_set_are_read(tmp_path: Path) -> None:
    root = make_folder(tmp_path, 40)
    colors = np.array([[3, 2, 1], [6, 5, 4]], np.uint8)[ids(1, 0)]
    dataset = open_dataset(str(root), 'train')
    write(root / f'labels/{dataset.load(0).name}.png', colors)
    assert np.array_equal(dataset.load(0).labels, ids(1, 0))


def test_the_street_repeats_and_never_shows_validation_streets_in_training() -> None:
    size = (48, 64)
    train, again = (StreetDataset(6, first_seed=10, size=size) for _ in range(2))
    assert np.array_equal(train.load(5).image_bgr, again.load(5).image_bgr)
    assert not np.array_equal(train.load(0).image_bgr, train.load(0, epoch=1).image_bgr)
    assert train.load(4).labels.shape == size
    other = StreetDataset(6, first_seed=20, size=size)
    assert not np.array_equal(train.load(0).image_bgr, other.load(0).image_bgr)


def test_data_sets_of_other_classes_do_not_mix(camvid: Path, tmp_path: Path) -> None:
    one = open_dataset(str(camvid), 'train')
    other = open_dataset(str(make_folder(tmp_path / 'other', 20)), 'train')
    assert len(MixedDataset((one, one))) == 12
    assert MixedDataset((one, one)).load(8).name == 'image_2'
    with pytest.raises(ConfigError, match='expected the classes of'):
        MixedDataset((one, other))


def test_a_missing_label_file_is_named(camvid: Path) -> None:
    (camvid / 'trainannot' / 'image_4.png').unlink()
    with pytest.raises(InputError, match=r'image_4\.png: expected its labels'):
        open_dataset(str(camvid), 'train')


def test_labels_may_end_with_capitals_too(camvid: Path) -> None:
    for path in (camvid / 'trainannot').iterdir():
        path.rename(path.with_suffix('.PNG'))
    assert len(open_dataset(str(camvid), 'train')) == 6


def test_labels_of_another_size_are_named(camvid: Path) -> None:
    write(camvid / 'trainannot' / 'image_1.png', np.zeros((8, 8), np.uint8))
    with pytest.raises(InputError, match=r'image_1\.png: expected labels of the size .* 8x8'):
        open_dataset(str(camvid), 'train').load(1)


def test_ids_out_of_range_are_named(camvid: Path) -> None:
    write(camvid / 'trainannot' / 'image_1.png', np.full((48, 64), 77, np.uint8))
    with pytest.raises(InputError, match=r'image_1\.png: .* found 77'):
        open_dataset(str(camvid), 'train').load(1)


def test_unknown_colours_are_named(camvid: Path) -> None:
    write(camvid / 'trainannot' / 'image_1.png', np.full((48, 64, 3), 9, np.uint8))
    with pytest.raises(InputError, match=r'image_1\.png: .* found \[9, 9, 9\]'):
        open_dataset(str(camvid), 'train').load(1)


@pytest.mark.parametrize('part', ['train', 'trainannot'])
@pytest.mark.parametrize('content', [b'', b'no image at all'])
def test_files_that_are_no_images_are_named(camvid: Path, part: str, content: bytes) -> None:
    (camvid / part / 'image_0.png').write_bytes(content)
    with pytest.raises(InputError, match=r'image_0\.png'):
        open_dataset(str(camvid), 'train').load(0)


def test_a_folder_of_nothing_known_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'valannot/ \(camvid\)'):
        open_dataset(str(tmp_path), 'val')
    with pytest.raises(ConfigError, match='no such folder'):
        open_dataset(str(tmp_path / 'gone'), 'val')


def test_labelled_data_is_read_and_counted_without_torch() -> None:
    code = 'import sys, espnet_ros.cli.evaluate.command; print("torch" in sys.modules)'
    ended = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == 'False', ended.stderr


def test_a_fixed_label_set_cannot_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='has its own'):
        open_dataset(
            str(tmp_path), 'val', format_name='cityscapes', label_set=load_label_set('camvid')
        )


def photo_turned(path: Path, orientation: int, stored: np.ndarray) -> None:
    """Write a JPEG with an EXIF orientation."""
    exif = b'Exif\0\0MM\0*' + struct.pack('>IHHHIHHI', 8, 1, 0x112, 3, 1, orientation, 0, 0)
    data = bytes(cv2.imencode('.jpg', stored, [cv2.IMWRITE_JPEG_QUALITY, 100])[1])
    part = b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif
    path.write_bytes(data[:2] + part + data[2:])


@pytest.mark.parametrize('labels_are_turned', [True, False])
def test_photographs_lie_as_their_labels_do(tmp_path: Path, labels_are_turned: bool) -> None:
    root = make_folder(tmp_path / 'data', 40)
    dataset = open_dataset(str(root), 'train')
    image_path, label_path = dataset.pairs[0]
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, :16] = 200
    image_path.unlink()
    photo_turned(image_path, 6, stored)  # a quarter to the right: its left half is above
    size = (32, 16) if labels_are_turned else (16, 32)
    write(label_path, np.zeros(size, np.uint8))
    image = dataset.load(0).image_bgr
    assert image.shape[:2] == size
    bright = image[:16] if labels_are_turned else image[:, :16]
    assert bright.min() > 150


def test_labels_of_photographs_upside_down_are_taken_as_of_the_turned_ones_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_folder(tmp_path / 'data', 40)
    dataset = open_dataset(str(root), 'train')
    image_path, label_path = dataset.pairs[0]
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8] = 200
    image_path.unlink()
    photo_turned(image_path, 3, stored)
    write(label_path, np.zeros((16, 32), np.uint8))
    for _ in range(2):
        assert dataset.load(0).image_bgr[8:].min() > 150
    assert caplog.text.count('EXIF orientation') == 1
