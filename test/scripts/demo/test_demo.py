"""The demo: two nodes as processes, a live score, a video and a picture."""

from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from builtin_interfaces.msg import Time
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.nodes.ros.messages.images import array_to_image
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from scripts.demo.live_score import can_score, LiveScore, WAITING_LIMIT

from ...conftest import ROOT

pytestmark = pytest.mark.slow

LIMIT_S = 180.0


def labels_message(labels: list[list[int]], second: int) -> Image:
    """Return class ids as a message of a moment."""
    return array_to_image(np.array(labels, np.uint8), 'mono8', Header(stamp=Time(sec=second)))


@pytest.fixture
def score() -> LiveScore:
    return LiveScore(LabelSet.from_names(('road', 'car')))


def test_masks_are_held_against_the_truth_of_their_own_moment(score: LiveScore) -> None:
    assert score.miou is None
    score.take_truth(labels_message([[0, 0, 1, 1]], 1))
    score.take_truth(labels_message([[1, 1, 1, 1]], 2))
    assert score.miou is None
    score.take_mask(labels_message([[0, 0, 0, 1]], 1))
    assert score.miou == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert score.frames == 1


def test_the_mask_may_come_before_the_truth_and_frames_add_up(score: LiveScore) -> None:
    score.take_mask(labels_message([[0, 0, 0, 1]], 1))
    score.take_truth(labels_message([[0, 0, 1, 1]], 1))
    score.take_mask(labels_message([[1, 1, 1, 1]], 2))
    score.take_truth(labels_message([[1, 1, 1, 1]], 2))
    assert score.frames == 2
    assert score.miou == pytest.approx((2 / 3 + 5 / 6) / 2)


def test_truth_of_dropped_frames_is_forgotten(score: LiveScore) -> None:
    for second in range(WAITING_LIMIT + 1):
        score.take_truth(labels_message([[0, 1]], second))
    score.take_mask(labels_message([[0, 1]], 0))
    assert score.miou is None
    score.take_mask(labels_message([[0, 1]], WAITING_LIMIT))
    assert score.miou == 1


def test_masks_of_other_classes_are_scored_by_what_both_mean() -> None:
    truth, model = load_label_set('camvid'), load_label_set('cityscapes')
    assert can_score(model, truth)
    score = LiveScore(model, truth)
    of_truth = [truth.id_of(name) for name in ('road', 'car', 'tree', 'building')]
    of_mask = [model.id_of(name) for name in ('road', 'truck', 'terrain', 'pole')]
    score.take_truth(labels_message([of_truth], 1))
    score.take_mask(labels_message([of_mask], 1))
    assert score.mious == pytest.approx({'camvid': 3 / 5, 'categories': 3 / 5})
    assert not can_score(LabelSet.from_names(('floor', 'wall')), truth)


@pytest.mark.ros
@pytest.mark.skipif(not os.access('/dev/shm', os.W_OK), reason='images go through shared memory')
def test_the_demo_scores_the_street_and_leaves_a_video_and_a_picture(ros, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, 'scripts/run_demo.py', '--seconds', '3', '--rate', '10',
         '--output', tmp_path / 'out'],
        cwd=ROOT,
        env={**os.environ, 'ROS_DOMAIN_ID': str(ros.domain_id)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = re.search(r'Score: ([0-9.]+)% mean IoU of ([0-9]+) masks', ended.stdout)
    assert found is not None, ended.stdout
    assert float(found[1]) > 65
    if find_spec('aiohttp'):
        assert re.search(r'^Live view: +http://127\.0\.0\.1:[0-9]+/$', ended.stdout, re.MULTILINE)
    assert int(found[2]) > 1
    assert not re.search(r'\bnan\b', ended.stdout), 'no rate before the second mask'
    assert re.search(r'frames/s .* mIoU [0-9.]+%', ended.stdout)
    assert re.search(r'free ahead +[0-9.]+ m ', ended.stdout)
    free = re.search(r'Free ahead: +([0-9.]+) m in that picture', ended.stdout)
    assert free is not None, ended.stdout
    assert 3 < float(free[1]) <= 20
    assert (tmp_path / 'out' / 'overlay.mp4').stat().st_size > 10_000
    picture = cv2.imread(str(tmp_path / 'out' / 'overlay.png'))
    assert picture.shape == (540, 1500, 3), 'the overlay, and the map beside it'
