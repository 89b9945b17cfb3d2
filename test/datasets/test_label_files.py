"""What label PNGs mean: ids of any depth, palettes by colour or index, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
import struct
import zlib

import cv2
from espnet_ros.datasets.base import PairDataset
from espnet_ros.datasets.label_files import read_labels
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
from espnet_ros.labels.label_class import LabelClass
from espnet_ros.training.data.statistics import count_labels, warn_of_absent_classes
import numpy as np
import pytest

IDS = np.array([[0, 1, 2, 1], [2, 0, 1, 0]], np.uint8)
COLORS = ((128, 64, 128), (0, 0, 142), (70, 70, 70))


def label_set(**more: str) -> LabelSet:
    names = ('road', 'car', 'building')
    classes = tuple(LabelClass(n, c) for n, c in zip(names, COLORS, strict=True))
    return LabelSet('three', classes, **more)


def write_png(path: Path, ids: np.ndarray, bits: int, palette: tuple = ()) -> Path:
    """Write a PNG of a few bits a pixel, with a palette where one is given."""
    height, width = ids.shape
    rows = [
        b'\0' + np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits :].ravel()).tobytes()
        for row in ids
    ]
    header = struct.pack('>IIBBBBB', width, height, bits, 3 if palette else 0, 0, 0, 0)
    chunks = [(b'IHDR', header), (b'IDAT', zlib.compress(b''.join(rows))), (b'IEND', b'')]
    if palette:
        chunks.insert(1, (b'PLTE', bytes(v for color in palette for v in color)))
    content = b'\x89PNG\r\n\x1a\n'
    for name, body in chunks:
        content += struct.pack('>I', len(body)) + name + body
        content += struct.pack('>I', zlib.crc32(name + body))
    path.write_bytes(content)
    return path


def load(tmp_path: Path, label_path: Path, classes: LabelSet) -> np.ndarray:
    image_path = tmp_path / 'image.jpg'
    cv2.imwrite(str(image_path), np.zeros((*IDS.shape, 3), np.uint8))
    return PairDataset('few', classes, [(image_path, label_path)]).load(0).labels


@pytest.mark.parametrize('bits', [2, 4, 8])
def test_gray_files_of_few_bits_hold_ids(tmp_path: Path, bits: int) -> None:
    path = write_png(tmp_path / 'a.png', IDS, bits)
    assert np.array_equal(load(tmp_path, path, label_set()), IDS)


def test_a_stored_one_of_a_file_of_one_bit_is_the_id_one(tmp_path: Path) -> None:
    path = write_png(tmp_path / 'a.png', IDS % 2, 1)
    assert np.array_equal(load(tmp_path, path, label_set()), IDS % 2)


def test_the_real_file_of_one_bit_has_the_ids_zero_and_one(shared_data: Path) -> None:
    (path,) = (shared_data / 'faults' / 'bin1bit_label').glob('*.png')
    assert set(np.unique(read_labels(path).ids)) == {0, 1}


@pytest.mark.parametrize('bits', [2, 8])
def test_a_palette_means_its_colours(tmp_path: Path, bits: int) -> None:
    turned = (COLORS[2], COLORS[0], COLORS[1])
    path = write_png(tmp_path / 'a.png', IDS, bits, turned)
    assert np.array_equal(load(tmp_path, path, label_set()), np.array([2, 0, 1])[IDS])


@pytest.mark.parametrize('bits', [2, 8])
def test_a_palette_means_its_indices_where_the_label_set_says_so(
    tmp_path: Path, bits: int
) -> None:
    path = write_png(tmp_path / 'a.png', IDS, bits, ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    assert np.array_equal(load(tmp_path, path, label_set(palette='index')), IDS)
    with pytest.raises(InputError, match='"palette: index" into'):
        load(tmp_path, path, label_set())


def test_colours_that_two_classes_share_are_refused_but_ids_are_not(tmp_path: Path) -> None:
    classes = LabelSet('twins', (*label_set().classes, LabelClass('bus', COLORS[1])))
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.array(COLORS, np.uint8)[IDS][..., ::-1])
    with pytest.raises(InputError, match='car and bus the same colour'):
        load(tmp_path, path, classes)
    assert np.array_equal(load(tmp_path, write_png(path, IDS, 8), classes), IDS)


def test_classes_without_a_pixel_are_told_and_255_is_explained(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image_path, label_path = tmp_path / 'image.jpg', tmp_path / 'a.png'
    cv2.imwrite(str(image_path), np.zeros((*IDS.shape, 3), np.uint8))
    write_png(label_path, (IDS % 2) * 255, 8)
    dataset = PairDataset('binary', label_set(), [(image_path, label_path)])
    with caplog.at_level(logging.WARNING):
        warn_of_absent_classes(dataset, count_labels(dataset))
    assert 'no labelled pixel of car, building' in caplog.text
    assert '255 is unlabelled' in caplog.text
