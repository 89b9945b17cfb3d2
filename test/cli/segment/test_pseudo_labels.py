"""Masks as labels to train on: the data set that ``segment --labels-for`` makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
from espnet_ros.datasets.opening import open_dataset
import numpy as np
import pytest

from ..conftest import Ended, files_in, read_mask, Run, stripes

Segment = Callable[..., Ended]


@pytest.fixture
def segment(cli: Run, channel_model_path: Path, tmp_path: Path, classes: Path) -> Segment:
    """Return what labels sources with the channel model into ``out``."""
    words = ('--model', channel_model_path, '--output', tmp_path / 'out')

    def run(*more: object) -> Ended:
        return cli('segment', '--labels-for', classes, *more, *words)

    return run


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """Return a data set's folder, whose classes are in another order and fewer."""
    folder = tmp_path / 'other_set'
    folder.mkdir()
    (folder / 'labels.yaml').write_text(
        'name: mine\nclasses:\n- {name: Red, color: [255, 0, 0]}\n'
        '- {name: rest, color: [9, 9, 9]}\n'
    )
    return folder


def test_the_labels_of_images_and_videos_are_a_data_set_to_train_on(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    ended = segment(photos, clip, '--confidence', 0.5)
    assert ended.code == 0, ended.err
    assert 'blue, green' in ended.err, 'classes that are lost are told'
    out = tmp_path / 'out'
    frames = {f'clip_{index:06d}' for index in range(8)}
    assert ended.err.count('blue, green') == 1, 'once'
    wanted = {f'clip/images/{name}.jpg' for name in frames}
    wanted |= {f'clip/labels/{name}.png' for name in frames}
    wanted |= {f'photos/{kind}/{name}.png' for kind in ('images', 'labels') for name in 'ab'}
    assert files_in(out) >= wanted | {'labels.yaml', 'summary.json'}
    labels = read_mask(out / 'photos' / 'labels' / 'a.png')
    assert (labels[:, :16] == 255).all(), 'blue is in no class of the data set'
    assert (labels[:, 16:] == 0).all(), 'red is its class 0'
    found = open_dataset(str(out), 'all')
    samples = [found.load(index) for index in range(len(found))]
    assert {sample.name for sample in samples} == frames | {'a', 'b'}
    assert all((np.unique(sample.labels) == (0, 255)).all() for sample in samples)
    assert found.label_set.names == ('Red', 'rest')
    a = next(sample for sample in samples if sample.name == 'a')
    assert np.array_equal(a.image_bgr, stripes()), 'images come as they were'


def test_pixels_that_are_less_sure_than_the_number_are_unlabelled(
    segment: Segment, tmp_path: Path
) -> None:
    image_bgr = stripes()
    image_bgr[:8, :, 1] = image_bgr[:8, :, 2] - 8  # green is nearly as strong as red there
    cv2.imwrite(str(tmp_path / 'a.png'), image_bgr)
    for number, expected in ((0.3, 0), (0.9, 255)):
        assert segment(tmp_path / 'a.png', '--confidence', number).code == 0
        labels = read_mask(tmp_path / 'out' / 'labels' / 'a.png')
        assert (labels[:7, 17:] == expected).all()
        assert (labels[9:, 17:] == 0).all()


def test_an_image_without_a_sure_pixel_is_left_out(segment: Segment, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), stripes())
    cv2.imwrite(str(tmp_path / 'gray.png'), np.full((16, 32, 3), 90, np.uint8))
    assert segment(tmp_path / 'a.png', tmp_path / 'gray.png').code == 0
    assert {p.name for p in (tmp_path / 'out' / 'images').iterdir()} == {'a.png'}


def test_groups_rename_classes_to_those_of_the_data_set(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    assert segment(photos, '--groups', 'rest=blue,green; red=red').code == 0
    labels = read_mask(tmp_path / 'out' / 'labels' / 'a.png')
    assert (labels[:, :16] == 1).all() and (labels[:, 16:] == 0).all()


def test_a_second_run_labels_the_rest_and_no_other_classes_are_mixed_in(
    segment: Segment, photos: Path, classes: Path, tmp_path: Path
) -> None:
    assert segment(photos).code == 0
    first = (tmp_path / 'out' / 'labels' / 'a.png').stat().st_mtime_ns
    cv2.imwrite(str(photos / 'c.png'), stripes())
    ended = segment(photos)
    assert ended.code == 0 and '2 frames of earlier runs' in ended.out
    assert (tmp_path / 'out' / 'labels' / 'a.png').stat().st_mtime_ns == first
    text = (classes / 'labels.yaml').read_text()
    (classes / 'labels.yaml').write_text(text.replace('rest', 'remainder'))
    ended = segment(photos)
    assert ended.code == 1 and 'labels.yaml would be overwritten' in ended.err


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (('--labels-for', 'camvid'), "expected classes of label set 'camvid'"),
        (('--labels-for', 'nowhere'), 'expected the folder of a data set, or a label set'),
        (('--masks',), 'leave --masks'),
        (('--confidence',), '--confidence without a number'),
        (('--confidence', '1.5'), 'expected a number from 0 to 1'),
        (('--confidence', '0.5', '--confidence-threshold', '0.6'), 'expected one threshold'),
        (('--mask-size', 'network'), 'leave --mask-size'),
    ],
)
def test_what_makes_no_labels_is_refused_in_one_line(
    segment: Segment, photos: Path, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    ended = segment(photos, *more)
    assert ended.code == 2
    assert said in ended.err and ended.err.count('\n') == 1
    assert not list(tmp_path.glob('out/*.png'))
