"""The picture from above beside the overlay, with a way that a planner would take."""

from __future__ import annotations

import math
import threading

from espnet_ros.cli.segment.options import Options
from espnet_ros.config import BirdseyeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet, parse_grouping
from espnet_ros.planning.contacts import find_contacts
from espnet_ros.planning.costs import make_cost_table
from espnet_ros.planning.geometry.camera import Camera
from espnet_ros.planning.geometry.pose import CameraPose, mounted_pose, points_to_pixels
from espnet_ros.planning.grid import GridShape, SweepShape
from espnet_ros.planning.observer import GroundObserver, Observation
from espnet_ros.planning.path import inflate, plan_path
from espnet_ros.planning.view import GroundView, ViewRules
from espnet_ros.processing.birdseye import (
    beside,
    BirdseyeFrame,
    draw_distances,
    draw_path,
    draw_points,
    lay_flat,
    shade,
)
from espnet_ros.processing.postprocess import resize_labels
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import CameraModel, Source
import numpy as np
from numpy.typing import NDArray

_HALF_WIDTH_SHARE = 0.3
_CELLS_AHEAD = 120
_ROBOT_RADIUS_M = 0.9
_PATH_BGR = (60, 220, 60)
_OBSTACLE_BGR = (40, 40, 255)


def open_birdseye(options: Options, source: Source, segmenter: Segmenter) -> BirdseyeDrawer | None:
    """
    Return what draws the picture from above, or None where it is not wanted.

    :raises ConfigError: the camera is not known, or no class can be driven over
    """
    if not options.output.birdseye:
        return None
    if not options.output.overlay:
        raise ConfigError('--birdseye is drawn beside the overlay: leave --no-overlay out')
    label_set = segmenter.runtime.model.info.label_set
    grouping = parse_grouping(segmenter.settings.label_groups, label_set)
    if grouping is not None:
        label_set = label_set.grouped(grouping)
    return BirdseyeDrawer(options.camera, source.camera, label_set, options.style.alpha)


class BirdseyeDrawer:
    """
    Draws the ground from above and a way over it; may be called from several threads.

    :param settings: the camera, where the source does not know it
    :param model: the camera as the source knows it, or None
    :raises ConfigError: the height of the camera is not known, or no class can be driven over
    """

    def __init__(
        self,
        settings: BirdseyeSettings,
        model: CameraModel | None,
        label_set: LabelSet,
        alpha: float,
    ) -> None:
        known = model if model is not None and model.height_m is not None else None
        if known is None and settings.camera_height_m <= 0:
            raise ConfigError(
                '--birdseye: expected --camera-height-m above 0, as the source does not know its '
                'camera; 1.4 is usual behind the windscreen of a car'
            )
        self._settings = settings
        self._model = known
        self._alpha = alpha
        self._palette_bgr = np.ascontiguousarray(label_set.palette_rgb()[:, ::-1])
        reach = settings.reach_m
        half = _HALF_WIDTH_SHARE * reach
        self._grid = GridShape(reach / _CELLS_AHEAD, (0.0, reach), (-half, half))
        sweep = SweepShape((-1.0, 1.0), 0.1, (0.5, reach), reach / _CELLS_AHEAD)
        rules = ViewRules(self._grid, sweep, make_cost_table(label_set))
        self._observer = GroundObserver(
            rules, correct_pitch=settings.correct_pitch and known is None
        )
        self._lock = threading.Lock()
        self._looks_at: tuple[GroundView, BirdseyeFrame, NDArray[np.float32]] | None = None

    def attach(
        self,
        overlay_bgr: NDArray[np.uint8],
        image_bgr: NDArray[np.uint8],
        labels: NDArray[np.uint8],
    ) -> NDArray[np.uint8]:
        """
        Return the overlay with the way in it and the picture from above beside it.

        :param overlay_bgr: uint8, (H, W, 3), drawn into
        :param image_bgr: uint8, (H, W, 3)
        :param labels: uint8, class ids
        :raises InputError: the camera sees no ground
        """
        size = (image_bgr.shape[0], image_bgr.shape[1])
        labels = resize_labels(labels, size)
        camera, mount = self._geometry(size)
        with self._lock:
            seen = self._observer.observe(camera, mount, labels)
            frame, looks_at = self._sampling(seen.view, size[0])
        panel = lay_flat(image_bgr, labels, looks_at, self._palette_bgr, self._alpha)
        self._draw_plan(panel, overlay_bgr, seen, frame)
        draw_distances(panel, frame)
        return beside(overlay_bgr, panel)

    def _draw_plan(
        self,
        panel: NDArray[np.uint8],
        overlay_bgr: NDArray[np.uint8],
        seen: Observation,
        frame: BirdseyeFrame,
    ) -> None:
        view = seen.view
        cost = view.grid_cost(seen.scan)
        rows, columns = self._grid.cells(frame.places)
        rows = np.clip(rows, 0, cost.shape[0] - 1)
        columns = np.clip(columns, 0, cost.shape[1] - 1)
        shade(panel, cost[rows, columns] < 0, 0.6)
        contacts = find_contacts(seen.scan)
        draw_points(panel, frame.pixels(contacts.points_m), _OBSTACLE_BGR)
        radius = round(_ROBOT_RADIUS_M / self._grid.resolution_m)
        path = plan_path(
            inflate(cost, radius), self._grid, (0.0, 0.0), 0.95 * self._settings.reach_m
        )
        if path is not None:
            draw_path(panel, frame.pixels(path), _PATH_BGR, 2)
            pixels = points_to_pixels(view.camera, view.pose, path)
            draw_path(overlay_bgr, pixels, _PATH_BGR, max(2, overlay_bgr.shape[0] // 150))

    def _sampling(
        self, view: GroundView, height: int
    ) -> tuple[BirdseyeFrame, NDArray[np.float32]]:
        """Return what is drawn from above, and which pixels look there."""
        if self._looks_at is None or self._looks_at[0] is not view:
            frame = BirdseyeFrame(self._grid.x_m, self._grid.y_m, height)
            pixels = points_to_pixels(view.camera, view.pose, frame.places)
            self._looks_at = view, frame, pixels.astype(np.float32)
        return self._looks_at[1:]

    def _geometry(self, size: tuple[int, int]) -> tuple[Camera, CameraPose]:
        model, settings = self._model, self._settings
        if model is not None and model.height_m is not None:
            camera = Camera(
                (model.height, model.width), (model.fx, model.fy), (model.cx, model.cy)
            )
            pose = mounted_pose(model.height_m, pitch_rad=model.pitch_rad or 0.0)
            return camera.resized(size), pose
        height, width = size
        focal = width / 2 / math.tan(math.radians(settings.field_of_view_deg) / 2)
        camera = Camera(size, (focal, focal), ((width - 1) / 2, (height - 1) / 2))
        pitch_rad = math.radians(settings.camera_pitch_deg)
        return camera, mounted_pose(settings.camera_height_m, pitch_rad=pitch_rad)
