"""A real road: with plausible parameters, its painted line is straight and parallel from above."""

from __future__ import annotations

import math
from pathlib import Path

from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import mounted_pose, points_to_pixels
from espnet_ros.processing.birdseye import BirdseyeFrame, lay_flat
from espnet_ros.sources import Frame, open_source
import numpy as np

HEIGHT_M = 1.2
PITCH_RAD = math.radians(-3.0)
FIELD_OF_VIEW_RAD = math.radians(60.0)


def test_the_line_beside_the_lane_is_a_straight_band(shared_data: Path) -> None:
    with open_source(str(shared_data / 'clips' / 'highway_960x540.mp4')) as source:
        frame = next(iter(source))
    assert isinstance(frame, Frame)
    height, width = frame.image_bgr.shape[:2]
    focal = width / 2 / math.tan(FIELD_OF_VIEW_RAD / 2)
    camera = Camera((height, width), (focal, focal), ((width - 1) / 2, (height - 1) / 2))
    pose = mounted_pose(HEIGHT_M, pitch_rad=PITCH_RAD)
    above = BirdseyeFrame((6.0, 26.0), (-4.0, 0.0), 400)
    looks_at = points_to_pixels(camera, pose, above.places).astype(np.float32)
    unlabelled = np.zeros((height, width), np.uint8)
    panel = lay_flat(frame.image_bgr, unlabelled, looks_at, np.zeros((256, 3), np.uint8), 0.0)
    brightness = panel.sum(axis=2).astype(float)
    # The line to the right of the lane is painted without gaps: the brightest place of each row.
    line_y_m = above.places[0, brightness.argmax(axis=1), 1]
    middle = np.median(line_y_m)
    assert -2.8 < middle < -1.2, 'half a lane to the right'
    assert (np.abs(line_y_m - middle) < 0.35).mean() > 0.9
    slope, _ = np.polyfit(above.places[:, 0, 0], line_y_m, 1)
    assert abs(slope) < 0.02, 'parallel to the way ahead'
