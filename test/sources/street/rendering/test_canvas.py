"""Drawing into image and labels at once."""

from espnet_ros.labels import load_label_set
from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.rendering.projection import make_camera, Projection
from espnet_ros.sources.street.rendering.textures import Ripmap, Sprite
import numpy as np
import pytest

LABELS = load_label_set('camvid')
CAR = LABELS.id_of('car')


@pytest.fixture
def canvas() -> Canvas:
    """Return a black canvas whose labels are all sky."""
    return Canvas(Projection(make_camera((120, 160), 1.4, 0.05, 1.0)), LABELS)


def test_polygon_covers_the_same_pixels_in_both(canvas: Canvas) -> None:
    points = np.array([(8, 2, 0), (8, -1, 0), (9, -1.5, 2), (9, 2.5, 1.8)], float)
    canvas.polygon(points, (200, 180, 160), 'car')
    assert np.array_equal(canvas.image_bgr.any(axis=2), canvas.labels == CAR)
    assert (canvas.labels == CAR).sum() > 100


def test_polygon_through_the_camera_is_cut_off(canvas: Canvas) -> None:
    canvas.polygon(
        np.array([(-5, 2, 0), (9, 2, 0), (9, -2, 0), (-5, -2, 0)], float), (9, 9, 9), 'car'
    )
    assert (canvas.labels[-1] == CAR).all()
    assert not (canvas.labels[0] == CAR).any()


def test_polygon_behind_the_camera_is_not_drawn(canvas: Canvas) -> None:
    canvas.polygon(np.array([(-5, 2, 0), (-1, 2, 0), (-1, -2, 0)], float), (9, 9, 9), 'car')
    assert not (canvas.labels == CAR).any()


@pytest.mark.parametrize('start', [-20.0, 4.0, 60.0])
def test_wall_covers_the_same_pixels_in_both(canvas: Canvas, start: float) -> None:
    texture = Ripmap(np.full((64, 64, 3), 120, np.uint8))
    canvas.wall(texture, (start, start + 30, 0.0, 6.0), 3.0, 'car')
    assert np.array_equal(canvas.image_bgr.any(axis=2), canvas.labels == CAR)
    assert (canvas.labels == CAR).any()


def test_sprite_covers_the_same_pixels_in_both_and_stands_on_its_foot(canvas: Canvas) -> None:
    picture = np.zeros((64, 32, 4), np.uint8)
    picture[:, 8:24] = (90, 120, 150, 255)
    canvas.sprite(Sprite(picture), (7.0, 0.0, 0.0), (1.6, 0.8), 'car')
    covered = canvas.labels == CAR
    assert np.array_equal(canvas.image_bgr.any(axis=2), covered)
    foot = canvas.projection.polygon(np.array([(7.0, 0.0, 0.0)]))
    assert abs(np.flatnonzero(covered.any(axis=1)).max() - foot[0, 1]) <= 1
    columns = np.flatnonzero(covered.any(axis=0))
    assert columns.mean() == pytest.approx(foot[0, 0], abs=1)
    scale = canvas.projection.camera.fx / 7.0
    assert len(columns) == pytest.approx(0.4 * scale, abs=2)


def test_what_is_far_lies_in_haze(canvas: Canvas) -> None:
    for x_m, y_m in ((10.0, 0.5), (140.0, 20.0)):
        corners = [(y_m, -1), (y_m - 1, -1), (y_m - 1, 3), (y_m, 3)]
        canvas.polygon(np.array([(x_m, *corner) for corner in corners]), (0, 0, 0), 'car')
    values = np.unique(canvas.image_bgr[canvas.labels == CAR][:, 0])
    assert values[0] < 20
    assert values[-1] > 80
