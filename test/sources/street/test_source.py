"""The synthetic street as a source."""

from espnet_ros.exceptions import InputError
from espnet_ros.sources import Frame, open_source
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest


def test_frames_are_the_same_by_seed_and_index_in_any_order() -> None:
    one, other = StreetSource(size=(90, 160), seed=5), StreetSource(size=(90, 160), seed=5)
    in_order = [frame for frame, _ in zip(one, range(4), strict=False)]
    for index in (3, 0, 2):
        frame = other.frame(index)
        assert isinstance(in_order[index], Frame)
        assert frame.name == in_order[index].name == f'street_{index:06d}'
        assert np.array_equal(frame.image_bgr, in_order[index].image_bgr)
        assert np.array_equal(frame.labels, in_order[index].labels)


def test_seeds_give_different_streets_and_time_moves_on() -> None:
    source = StreetSource(size=(90, 160), seed=1)
    labels = source.frame(0).labels
    assert not np.array_equal(labels, StreetSource(size=(90, 160), seed=2).frame(0).labels)
    assert not np.array_equal(labels, source.frame(10).labels)


def test_frames_belong_to_the_caller() -> None:
    source = StreetSource(size=(90, 160))
    frame = source.frame(0)
    before = frame.image_bgr.copy()
    frame.image_bgr[:] = 0
    frame.labels[:] = 99
    again = source.frame(0)
    assert np.array_equal(again.image_bgr, before)
    assert again.labels.max() < 99


@pytest.mark.parametrize('size', [(540, 960), (16, 16), (17, 301), (301, 17)])
def test_any_size_is_rendered(size: tuple[int, int]) -> None:
    source = StreetSource(size=size)
    frame = source.frame(3)
    assert frame.image_bgr.shape == (*size, 3)
    assert frame.image_bgr.dtype == np.uint8
    assert frame.labels.shape == size
    assert frame.labels.dtype == np.uint8
    assert source.camera is not None
    assert (source.camera.height, source.camera.width) == size


@pytest.mark.parametrize('pitch_rad', [-1.0, -0.4, 0.6, 1.0])
@pytest.mark.parametrize('height_m', [0.2, 20.0])
def test_camera_may_point_anywhere(pitch_rad: float, height_m: float) -> None:
    source = StreetSource(size=(72, 128), pitch_rad=pitch_rad, height_m=height_m)
    names = {source.label_set.names[i] for i in np.unique(source.frame(5).labels)}
    assert names
    if pitch_rad == -1.0:
        assert 'road' not in names
    if pitch_rad == 1.0:
        assert 'sky' not in names


def test_a_drive_shows_every_class_of_a_street() -> None:
    source = StreetSource(size=(270, 480), rate_hz=1.0)
    seen = np.unique([np.bincount(source.frame(i).labels.ravel(), minlength=12) > 0
                      for i in range(0, 60, 4)], axis=0).any(axis=0)  # fmt: skip
    missing = {name for name, is_seen in zip(source.label_set.names, seen, strict=True)
               if not is_seen}  # fmt: skip
    assert missing <= {'void'}


def test_picture_is_no_flat_drawing() -> None:
    frame = StreetSource(size=(270, 480)).frame(0)
    for label in np.unique(frame.labels):
        pixels = frame.image_bgr[frame.labels == label]
        if len(pixels) > 500:
            assert pixels.std(axis=0).min() > 2


def test_opened_by_name_with_size_rate_and_seed() -> None:
    source = open_source('synthetic', size=(90, 160), rate_hz=12.0, seed=4)
    assert isinstance(source, StreetSource)
    assert source.size == (90, 160)
    assert source.rate_hz == 12.0
    assert source.frame_count is None
    assert source.label_set.name == 'camvid'
    expected = StreetSource(size=(90, 160), rate_hz=12.0, seed=4).frame(2)
    assert np.array_equal(source.frame(2).image_bgr, expected.image_bgr)


@pytest.mark.parametrize(
    'bad',
    [
        {'size': (8, 100)},
        {'size': (100, 10000)},
        {'seed': -1},
        {'rate_hz': float('nan')},
        {'height_m': 0.0},
        {'pitch_rad': 1.6},
        {'field_of_view_rad': 0.0},
    ],
)
def test_argument_out_of_bounds_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r'synthetic street, .*expected .* found'):
        StreetSource(**bad)
