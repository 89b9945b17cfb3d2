"""The default launch on the rendered street: what it tells a planner, against what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import sys
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('openvino', reason='the default runtime of a plain machine')

from cameras import stamp_ns_of
from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.labels import load_label_set, shipped_label_sets
from espnet_ros.msg import LabelSet
from espnet_ros.nodes.ros.messages.images import mask_values
from espnet_ros.nodes.ros.qos import latched_qos
from live_settings import set_parameter
from nav_msgs.msg import OccupancyGrid
from sensor_msgs.msg import Image, LaserScan
from street_truth import (
    by_class,
    cells_of,
    COSTS,
    LABELS,
    StreetTruth,
    true_classes,
    true_ranges_m,
)
from time_limits import message_limit_s

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

START_LIMIT_S = 90.0
"""Until the first output of processes that load their libraries and a network."""
WITH_TRUTH = {'camera_source': {'publish_labels': True}}
"""The only difference to what users start: the truth beside each image."""
FOR_BUSY_CORES = {'free_space': {'max_age_ms': 5000.0}}
"""On two busy cores a mask takes longer than it may be old."""

OF_THE_STREET = 'espnet_p2_q8_camvid_street'
"""The model that was trained on streets like this one."""


@dataclass
class Heard:
    """What a planner hears, and the truth beside it."""

    maps: Any
    scans: Any
    truths: Any
    status: dict[str, tuple[int, str]] = field(default_factory=dict)

    def wait_until(
        self, condition: Callable[[], Any], what: str, limit_s: float | None = None
    ) -> None:
        """Wait for a condition; where it does not come, say what the diagnostics say."""
        limit_s = message_limit_s() if limit_s is None else limit_s
        end_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end_s:
                bad = {name: entry for name, entry in self.status.items() if entry[0]}
                pytest.fail(f'{what} did not come within {limit_s:.1f} s; diagnostics: {bad}')
            time.sleep(0.05)

    def take_status(self, message: DiagnosticArray) -> None:
        for status in message.status:
            level = int.from_bytes(status.level, 'little')
            self.status[status.name] = level, status.message

    def is_ok(self, name: str) -> bool:
        return self.status.get(name, (2, ''))[0] == 0

    def says(self, words: str) -> bool:
        """Return whether free space reports an error in these words."""
        level, message = self.status.get('free_space: ground', (0, ''))
        return level == 2 and words in message

    def joined(self) -> list[tuple[Any, Any, Any]]:
        """Return (map, scan, true labels) of equal stamps."""
        scans = {stamp_ns_of(m): m for m in list(self.scans.messages)}
        truths = {stamp_ns_of(m): m for m in list(self.truths.messages)}
        return [
            (m, scans[stamp_ns_of(m)], mask_values(truths[stamp_ns_of(m)]))
            for m in list(self.maps.messages)
            if stamp_ns_of(m) in scans and stamp_ns_of(m) in truths
        ]


@pytest.fixture
def heard(ros: Any) -> Heard:
    """Listen to a launch without a namespace."""
    found = Heard(
        ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos()),
        ros.listen(LaserScan, 'free_space/scan'),
        ros.listen(Image, 'camera_source/labels'),
    )
    ros.probe.create_subscription(DiagnosticArray, '/diagnostics', found.take_status, 10)
    return found


@dataclass(frozen=True)
class Figures:
    """How well maps and ranges agree with the street, over several frames."""

    known: float
    strip_free: float
    right_by_class: dict[str, float]
    range_errors: np.ndarray

    def __str__(self) -> str:
        classes = ', '.join(f'{k} {v:.1%}' for k, v in self.right_by_class.items())
        return (
            f'known {self.known:.1%}, strip free {self.strip_free:.1%}, ranges off by '
            f'{np.median(np.abs(self.range_errors)):.2f} m (median of {self.range_errors.size}); '
            f'cells right: {classes}'
        )


def compare(joined: list[tuple[Any, Any, Any]]) -> Figures:
    """Hold maps and ranges against the street."""
    truth = StreetTruth()
    known, strips, errors = [], [], []
    right: dict[str, list[np.ndarray]] = {}
    for costmap, scan, labels in joined:
        index = truth.index_of(labels, 1e-9 * stamp_ns_of(costmap))
        x_m, y_m, cost = cells_of(costmap)
        known.append((cost >= 0).mean())
        strip = (x_m >= 5) & (x_m <= 10) & (np.abs(y_m) <= 1.5)
        strips.append((cost[strip & np.ones_like(cost, bool)] == 0).mean())
        classes = true_classes(index, x_m, y_m)
        agrees = (cost >= 100) == (COSTS[classes] >= 100)
        for name, values in by_class(LABELS, classes[cost >= 0], agrees[cost >= 0]).items():
            right.setdefault(name, []).append(values)
        bearings = scan.angle_min + scan.angle_increment * np.arange(len(scan.ranges))
        hits = np.flatnonzero(np.isfinite(scan.ranges))[::4]
        bearings, found_m = bearings[hits], np.array(scan.ranges)[hits]
        true_m = true_ranges_m(index, bearings, scan.range_max)
        both = np.isfinite(true_m)
        errors.append(found_m[both] - true_m[both])
    shares = {name: float(np.concatenate(v).mean()) for name, v in right.items()}
    return Figures(float(np.mean(known)), float(np.mean(strips)), shares, np.concatenate(errors))


@pytest.mark.parametrize(
    ('model', 'in_place'), [('auto', ()), (OF_THE_STREET, ('building', 'car'))]
)
def test_road_is_free_and_what_stands_blocks_in_the_default_launch(launch, heard, model, in_place):
    """The default places the foot of what stands 0.3 m off, and so in the cells beside it."""
    launch(WITH_TRUTH | FOR_BUSY_CORES, source='synthetic', free_space=True, model=model)
    heard.wait_until(lambda: len(heard.joined()) >= 5, 'maps with ranges and truth', START_LIMIT_S)
    heard.wait_until(lambda: heard.is_ok('free_space: ground'), 'a good status')
    figures = compare(heard.joined()[:5])
    sys.stdout.write(f'agreement: {figures}\n')
    assert figures.known >= 0.15
    assert figures.strip_free >= 0.6
    assert figures.right_by_class['road'] >= 0.9
    for name in {*in_place} & figures.right_by_class.keys():
        assert figures.right_by_class[name] >= 0.5, name
    assert np.median(np.abs(figures.range_errors)) < 0.5


def test_a_model_of_other_classes_means_the_same_to_the_planner(launch, heard, published_model):
    model = published_model('espnet_p2_q8_cityscapes').path
    changes = WITH_TRUTH | FOR_BUSY_CORES
    launch(changes, source='synthetic', free_space=True, model=str(model))
    heard.wait_until(lambda: len(heard.joined()) >= 3, 'maps with ranges and truth', START_LIMIT_S)
    figures = compare(heard.joined()[:3])
    sys.stdout.write(f'agreement: {figures}\n')
    assert figures.known >= 0.15
    assert figures.strip_free >= 0.6


def test_a_foreign_model_without_names_gives_no_map_and_says_error(
    launch, ros, heard, foreign_model
):
    launch(source='synthetic', free_space=True, model=str(foreign_model))
    masks = ros.listen(Image, 'segmentation/mask')
    masks.wait_for(limit_s=START_LIMIT_S)

    heard.wait_until(
        lambda: heard.says('expected a class with a cost'), 'the error', START_LIMIT_S
    )
    assert not heard.maps.messages
    assert not heard.scans.messages


@pytest.mark.parametrize('groups', ['categories', 'roles'])
def test_groups_of_classes_that_change_live_keep_the_meaning_of_every_mask(
    launch, ros, heard, groups
):
    launch(WITH_TRUTH, source='synthetic', free_space=True, model=OF_THE_STREET)
    heard.wait_until(heard.joined, 'a map', START_LIMIT_S)
    sets = ros.listen(LabelSet, 'segmentation/label_set', latched_qos())
    result = set_parameter(ros, 'label_groups', groups)
    assert result.successful, result.reason
    changed = sets.wait_for(lambda m: m.name == 'camvid/groups' and m.header.stamp.sec)
    assert [c.name for c in changed.classes] == [g for g, _ in dict(LABELS.groupings)[groups]]

    def later() -> list[Any]:
        return [j for j in heard.joined() if stamp_ns_of(j[0]) >= stamp_ns_of(changed)]

    heard.wait_until(lambda: len(later()) >= 2, 'maps of the groups')
    figures = compare(later()[:2])
    sys.stdout.write(f'agreement: {figures}\n')
    assert figures.known >= 0.15
    if groups == 'roles':
        assert figures.strip_free >= 0.6
    for name in {'building', 'car'} & figures.right_by_class.keys():
        assert figures.right_by_class[name] >= 0.5, name


def test_two_cameras_go_through_to_one_map(launch, ros, heard):
    launched = launch(source='synthetic', free_space=True, cameras='front,left', runtime='fake')
    masks = [ros.listen(Image, f'segmentation/{name}/mask') for name in ('front', 'left')]
    sets = [
        ros.listen(LabelSet, f'segmentation/{name}/label_set', latched_qos())
        for name in ('front', 'left')
    ]
    for inbox in (*masks, *sets):
        inbox.wait_for(limit_s=START_LIMIT_S)
    heard.wait_until(lambda: heard.maps.messages, 'a map of both', START_LIMIT_S)
    for name in ('front', 'left'):
        heard.wait_until(
            lambda n=name: f'free_space: ground {n}' in heard.status, f'status of {name}'
        )
    assert all(process.poll() is None for process in launched.processes.values())


def test_a_camera_that_comes_back_is_a_map_again_and_nothing_old_is_handed_out(launch, ros, heard):
    arguments = {'source': 'synthetic', 'free_space': True, 'runtime': 'fake'}
    launched = launch(**arguments)
    heard.wait_until(lambda: heard.maps.messages, 'a map', START_LIMIT_S)
    assert launched.end('camera_source') == 0

    for _ in range(3):  # by then nothing is on its way any more
        heard.status.clear()
        heard.wait_until(lambda: heard.says(''), 'the error')
    late = ros.listen(OccupancyGrid, 'free_space/costmap', latched_qos())
    heard.status.clear()
    heard.wait_until(lambda: heard.says(''), 'the error again')
    assert not late.messages, 'an old map was handed to somebody who came late'
    again = launch(**arguments)
    for name in ('segmentation', 'free_space'):
        again.end(name)
    late.wait_for(limit_s=START_LIMIT_S)


@pytest.mark.parametrize('name', shipped_label_sets())
def test_every_label_set_is_understood_or_refused_in_words(
    launch, ros, heard, model_with_labels, name
):
    """A stand-in that takes a few milliseconds gives ids of every class."""
    model = model_with_labels(load_label_set(name))
    launch(
        {'segmentation': {'fake.latency_ms': 3.0}},
        source='synthetic',
        free_space=True,
        model=str(model),
        runtime='fake',
    )
    told = ros.listen(LabelSet, 'segmentation/label_set', latched_qos())
    assert told.wait_for(limit_s=START_LIMIT_S).name == name
    costs = [c.cost for c in load_label_set(name).classes if c.cost is not None]
    if costs and min(costs) < 100:
        heard.wait_until(lambda: heard.maps.messages, 'a map', START_LIMIT_S)
        return
    heard.wait_until(
        lambda: heard.says('expected a class with a cost'), 'the error', START_LIMIT_S
    )
    assert not heard.maps.messages
