"""The ground from above."""

from __future__ import annotations

from espnet_ros.processing.birdseye import (
    beside,
    BirdseyeFrame,
    draw_distances,
    draw_path,
    draw_points,
    lay_flat,
    shade,
)
import numpy as np

FRAME = BirdseyeFrame((0.0, 10.0), (-4.0, 4.0), 100)
PALETTE = np.zeros((256, 3), np.uint8)
PALETTE[1] = (0, 200, 0)


def test_ahead_is_up_and_left_is_left():
    assert (FRAME.height, FRAME.width) == (100, 80)
    ahead_left, near_right = FRAME.places[0, 0], FRAME.places[-1, -1]
    assert ahead_left.tolist() == [9.95, 3.95]
    assert np.allclose(near_right, [0.05, -3.95])
    assert np.allclose(FRAME.pixels(FRAME.places[[0, 40], [0, 70]]), [[0, 0], [70, 40]])


def test_the_picture_is_laid_flat_and_what_is_not_seen_is_dark():
    image = np.zeros((50, 60, 3), np.uint8)
    image[10, 20] = (10, 20, 250)
    labels = np.zeros((50, 60), np.uint8)
    labels[30, 40] = 1
    looks_at = np.full((2, 2, 2), np.nan, np.float32)
    looks_at[0, 0], looks_at[0, 1], looks_at[1, 0] = (20, 10), (40, 30), (-3, 5)
    panel = lay_flat(image, labels, looks_at, PALETTE, 0.5)
    assert panel[0, 0].tolist() == [5, 10, 125]
    assert panel[0, 1].tolist() == [0, 100, 0]
    assert panel[1, 0].tolist() == panel[1, 1].tolist() == [40, 40, 40]


def test_drawing_leaves_out_what_has_no_place():
    panel = np.zeros((100, 80, 3), np.uint8)
    nowhere = np.array([[np.nan, 1.0], [1e12, 5.0], [-1e12, np.inf]])
    draw_points(panel, nowhere, (0, 0, 255))
    draw_path(panel, nowhere, (0, 255, 0))
    assert not panel.any()
    draw_points(panel, np.array([[40.0, 50.0]]), (0, 0, 255))
    assert panel[50, 40].tolist() == [0, 0, 255]
    draw_path(panel, np.array([[10.0, 90.0], [10.0, 20.0]]), (0, 255, 0))
    assert panel[55, 10].tolist() == [0, 255, 0]


def test_distances_are_drawn_at_their_rows():
    panel = np.zeros((100, 80, 3), np.uint8)
    draw_distances(panel, FRAME)
    assert panel[49].all()
    assert not panel[45].any()


def test_shade_takes_a_share_of_the_brightness():
    panel = np.full((4, 4, 3), 200, np.uint8)
    shade(panel, np.eye(4, dtype=bool), 0.5)
    assert panel[0, 0, 0] == 100
    assert panel[0, 1, 0] == 200


def test_pictures_side_by_side_have_a_width_that_videos_take():
    both = beside(np.zeros((10, 7, 3), np.uint8), np.ones((10, 4, 3), np.uint8))
    assert both.shape == (10, 10, 3)
