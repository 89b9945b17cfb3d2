"""The picture from above beside the overlay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from espnet_ros.cli.main import main
from espnet_ros.cli.segment.birdseye import BirdseyeDrawer
from espnet_ros.config import BirdseyeSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelSet
from espnet_ros.sources.street import StreetSource
from lazy_frame import LazyFrame
import numpy as np
import pytest

STREET = StreetSource(size=(270, 480), seed=2)
FRAME = LazyFrame(STREET)


def draw(drawer):
    image = FRAME.image_bgr
    return drawer.attach(image.copy(), image, FRAME.labels)


def test_the_street_lies_flat_with_its_way_beside_the_picture():
    drawer = BirdseyeDrawer(BirdseyeSettings(), STREET.camera, STREET.label_set, 0.5)
    picture = draw(drawer)
    assert picture.shape[0] == 270
    assert picture.shape[1] > 480 and picture.shape[1] % 2 == 0
    assert np.array_equal(picture[0, :480], FRAME.image_bgr[0]), 'the sky stays as it is'
    path_color = (60, 220, 60)
    for part in (picture[:, :480], picture[:, 480:]):
        assert (part == path_color).all(axis=2).sum() > 100


def test_several_threads_draw_the_same():
    drawer = BirdseyeDrawer(BirdseyeSettings(), STREET.camera, STREET.label_set, 0.5)
    expected = draw(drawer)
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: draw(drawer), range(8)))
    assert all(np.array_equal(picture, expected) for picture in pictures)


def test_a_camera_given_by_hand_serves_a_source_that_does_not_know_its_own():
    settings = BirdseyeSettings(camera_height_m=1.4, camera_pitch_deg=2.3, field_of_view_deg=62)
    by_hand = draw(BirdseyeDrawer(settings, None, STREET.label_set, 0.5))
    known = draw(BirdseyeDrawer(BirdseyeSettings(), STREET.camera, STREET.label_set, 0.5))
    assert np.abs(by_hand.astype(int) - known).mean() < 5


def test_what_is_missing_is_told():
    with pytest.raises(ConfigError, match='--camera-height-m above 0'):
        BirdseyeDrawer(BirdseyeSettings(), None, STREET.label_set, 0.5)
    without_costs = LabelSet.from_names(('a', 'b'))
    with pytest.raises(ConfigError, match='a class with a cost'):
        BirdseyeDrawer(BirdseyeSettings(), STREET.camera, without_costs, 0.5)
    sky = BirdseyeSettings(camera_height_m=1.4, camera_pitch_deg=-45.0, correct_pitch=False)
    with pytest.raises(InputError, match='points at the sky'):
        draw(BirdseyeDrawer(sky, None, STREET.label_set, 0.5))


def test_it_needs_the_overlay_and_classes_with_costs(channel_model_path, tmp_path, capsys):
    arguments = ['segment', 'synthetic', '--model', str(channel_model_path), '--limit', '1']
    arguments += ['--output', str(tmp_path), '--runtime', 'onnxruntime', '--birdseye']
    assert main([*arguments, '--no-overlay']) != 0
    assert 'leave --no-overlay out' in capsys.readouterr().err
    assert main(arguments) != 0
    assert 'give its classes costs' in ' '.join(capsys.readouterr().err.split())
