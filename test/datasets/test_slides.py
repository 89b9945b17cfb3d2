"""Labelled TIFF pictures of any size: windows that are read on their own."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.datasets.opening import open_dataset
from espnet_ros.exceptions import InputError
import numpy as np
import pytest

tifffile = pytest.importorskip('tifffile', reason='reads slides')

SIZE, WINDOW = (200, 330), (96, 128)
CLASSES = 'name: tissue\nclasses:\n- {name: a, color: [9, 0, 0]}\n- {name: b, color: [0, 9, 0]}\n'
TILED = {'tile': (32, 32), 'compression': 'zlib', 'metadata': None}


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """Return a data set of one slide, whose picture tells the place and whose labels the class."""
    rows, columns = np.indices(SIZE)
    picture = np.stack([rows, columns % 256, columns // 256], axis=2).astype(np.uint8)
    for folder, array in (('images', picture), ('labels', truth())):
        (tmp_path / folder / 'train').mkdir(parents=True)
        how = {'photometric': 'rgb' if array.ndim == 3 else 'minisblack', **TILED}
        tifffile.imwrite(tmp_path / folder / 'train' / 's.tif', array, **how)
    (tmp_path / 'labels.yaml').write_text(CLASSES)
    return tmp_path


def truth() -> np.ndarray:
    """Return the labels of the slide: a grid of the two classes, some pixels unlabelled."""
    rows, columns = np.indices(SIZE)
    labels = ((rows // 40 + columns // 50) % 2).astype(np.uint8)
    labels[:5] = 255
    return labels


def test_windows_of_the_first_epoch_cover_each_pixel_once(slides: Path) -> None:
    dataset = open_dataset(str(slides), 'train', window=WINDOW)
    assert len(dataset) == 3 * 3
    count = np.zeros(SIZE, int)
    for index in range(len(dataset)):
        sample = dataset.load(index)
        rows = sample.image_bgr[..., 2].astype(int)
        columns = sample.image_bgr[..., 1] + 256 * sample.image_bgr[..., 0].astype(int)
        assert np.array_equal(sample.labels, truth()[rows, columns])
        np.add.at(count, (rows, columns), 1)
    assert (count == 1).all()


def test_windows_of_later_epochs_are_whole_and_lie_elsewhere(slides: Path) -> None:
    dataset = open_dataset(str(slides), 'train', window=WINDOW)
    corners = set()
    for epoch in range(1, 6):
        for index in range(len(dataset)):
            sample, again = dataset.load(index, epoch), dataset.load(index, epoch)
            assert sample.labels.shape == WINDOW
            assert np.array_equal(sample.image_bgr, again.image_bgr)
            corners.add(tuple(sample.image_bgr[0, 0]))
    assert len(corners) > 20


def test_only_what_lies_below_a_window_is_read(slides: Path) -> None:
    path = slides / 'images' / 'train' / 's.tif'
    with tifffile.TiffFile(path) as file:
        start, length = file.pages[0].dataoffsets[-1], file.pages[0].databytecounts[-1]
    data = bytearray(path.read_bytes())
    data[start : start + length] = bytes(length)
    path.write_bytes(data)
    dataset = open_dataset(str(slides), 'train', window=WINDOW)
    for index in range(len(dataset) - 1):
        assert dataset.load(index).labels.size
    with pytest.raises(InputError, match=r's\.tif: cannot be read at part'):
        dataset.load(len(dataset) - 1)


def test_labels_in_colours_are_classes_and_others_are_named(slides: Path) -> None:
    path = slides / 'labels' / 'train' / 's.tif'
    colors_rgb = np.zeros((256, 3), np.uint8)
    colors_rgb[:2] = [[9, 0, 0], [0, 9, 0]]
    tifffile.imwrite(path, colors_rgb[truth() % 255], photometric='rgb', **TILED)
    dataset = open_dataset(str(slides), 'train', window=SIZE)
    assert np.array_equal(dataset.load(0).labels, truth() % 255)
    tifffile.imwrite(path, np.full(SIZE, 7, np.uint8), photometric='minisblack', **TILED)
    with pytest.raises(InputError, match=r's\.tif: expected ids of label set .*found 7'):
        open_dataset(str(slides), 'train').load(0)


def test_labels_of_another_size_and_a_mixture_of_formats_are_told(slides: Path) -> None:
    for name in ('images/train/t.png', 'labels/train/t.png'):
        (slides / name).write_bytes(b'')
    with pytest.raises(InputError, match='expected labels in PNG or in TIFF files, found both'):
        open_dataset(str(slides), 'train')
    for name in ('images/train/t.png', 'labels/train/t.png'):
        (slides / name).unlink()
    path = slides / 'labels' / 'train' / 's.tif'
    tifffile.imwrite(path, truth()[1:], photometric='minisblack', **TILED)
    with pytest.raises(InputError, match=r'of the size of s\.tif \(200x330\), found 199x330'):
        open_dataset(str(slides), 'train')
