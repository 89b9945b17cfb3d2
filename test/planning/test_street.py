"""The rendered street: what is found in its masks is where its geometry says."""

from __future__ import annotations

from espnet_ros.planning.contacts import find_contacts
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import mounted_pose
from espnet_ros.planning.sweep import Sweep
from espnet_ros.planning.view import GroundView, ViewRules
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest
from street_truth import labels_from_above

from .scenes import GRID, iou, SWEEP, visible

STREETS = [
    {'size': (512, 1024), 'height_m': 1.4, 'pitch_rad': 0.04},
    {'size': (360, 640), 'height_m': 2.0, 'pitch_rad': 0.1},
    {'size': (540, 960), 'height_m': 1.2, 'pitch_rad': 0.0, 'field_of_view_rad': 1.4},
]
FRAMES = (0, 200, 333)


@pytest.fixture(scope='module', params=STREETS, ids=lambda street: f'{street["height_m"]}m')
def street(request):
    """Return a street and the view of its camera."""
    source = StreetSource(seed=2, **request.param)
    model = source.camera
    camera = Camera(source.size, (model.fx, model.fy), (model.cx, model.cy))
    pose = mounted_pose(model.height_m, pitch_rad=model.pitch_rad)
    return source, GroundView(
        camera, pose, ViewRules(GRID, SWEEP, make_cost_table(source.label_set))
    )


@pytest.mark.parametrize('index', FRAMES)
def test_the_map_shows_the_road_that_is_seen(street, index):
    source, view = street
    cost = view.grid_cost(view.read(source.frame(index).labels))
    scene = source.scene(index)
    truth = labels_from_above(scene, GRID.centers[..., 0], GRID.centers[..., 1])
    seen = visible(GRID.centers, view.camera, view.pose, scene.obstacles)
    road = source.label_set.id_of('road')
    assert iou((cost == 0) & seen, (truth == road) & seen) >= 0.97


def test_ranges_end_where_things_stand(street):
    source, view = street
    ranges_m = np.arange(SWEEP.range_m[0], SWEEP.range_m[1], 0.01)
    x, y = np.moveaxis(SWEEP.directions[:, None] * ranges_m[None, :, None], -1, 0)
    relative = []
    for index in FRAMES:
        reading = view.read(source.frame(index).labels)
        found = Sweep(SWEEP, [reading], [view.places]).ranges(100)
        labels = labels_from_above(source.scene(index), x, y)
        blocked = view.rules.costs.cost[labels] >= 100
        truth = np.where(blocked.any(axis=1), ranges_m[blocked.argmax(axis=1)], np.inf)
        both = np.isfinite(found) & np.isfinite(truth)
        footprint = truth[both] ** 2 / view.pose.height_m * view.camera.pixel_angle_rad
        relative.append(np.abs(found[both] - truth[both]) / footprint)
    assert sum(map(len, relative)) > 50
    assert np.median(np.concatenate(relative)) < 1


def test_contacts_belong_to_things_of_their_class(street):
    source, view = street
    contacts = find_contacts(view.read(source.frame(0).labels))
    near = np.hypot(*contacts.points_m.T) < 20
    assert near.sum() > 20
    offsets = []
    for point, class_id in zip(contacts.points_m[near], contacts.class_ids[near], strict=True):
        around = point + np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 21)] * 2), axis=-1)
        labels = labels_from_above(source.scene(0), around[..., 0], around[..., 1])
        offsets.append(bool((labels == class_id).any()))
    assert np.mean(offsets) > 0.9
