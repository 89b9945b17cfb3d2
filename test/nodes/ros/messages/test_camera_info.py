import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import InputError
from espnet_ros.nodes.ros.messages.camera_info import (
    check_camera_info,
    described_size,
    scale_camera_info,
)
from espnet_ros.planning.geometry.camera import Calibration, make_camera
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

HEADER = Header(frame_id='mask')


def camera(**fields) -> CameraInfo:
    settings = {
        'width': 640,
        'height': 480,
        'distortion_model': 'plumb_bob',
        'd': [0.1, 0.2, 0.0, 0.0, 0.3],
        'k': [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0],
        'r': [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0],
        'p': [500.0, 0.0, 320.0, -50.0, 0.0, 510.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    }
    return CameraInfo(**(settings | fields))


def test_focal_lengths_principal_point_and_baseline_scale():
    info = scale_camera_info(camera(), (480, 640), (120, 320), HEADER)
    assert (info.width, info.height) == (320, 120)
    assert list(info.k) == [250.0, 0.0, 159.75, 0.0, 127.5, 59.625, 0.0, 0.0, 1.0]
    assert list(info.p) == [250, 0, 159.75, -25, 0, 127.5, 59.625, 0, 0, 0, 1, 0]
    assert info.header is HEADER


def test_distortion_and_rectification_stay():
    info = scale_camera_info(camera(), (480, 640), (120, 320), HEADER)
    assert (list(info.d), list(info.r)) == (list(camera().d), list(camera().r))
    assert info.distortion_model == 'plumb_bob'


def test_a_region_of_interest_moves_the_principal_point():
    roi = RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240, do_rectify=True)
    info = scale_camera_info(camera(roi=roi), (240, 320), (120, 160), HEADER)
    assert (info.k[2], info.k[5]) == (109.75, 99.75)
    assert (info.p[2], info.p[6], info.p[3]) == (109.75, 99.75, -25.0)
    assert (info.roi.width, info.roi.x_offset, info.roi.do_rectify) == (0, 0, True)


def test_binning_is_part_of_the_scale():
    info = scale_camera_info(camera(binning_x=2, binning_y=2), (240, 320), (240, 320), HEADER)
    assert (info.k[0], info.k[2], info.binning_x, info.binning_y) == (250.0, 159.75, 0, 0)


def test_a_remainder_that_binning_loses_does_not_stretch_the_rest():
    odd = camera(width=641, height=483, binning_x=2, binning_y=4)
    assert described_size(odd) == (120, 320)
    info = scale_camera_info(odd, (120, 320), (120, 320), HEADER)
    assert (info.k[0], info.k[4], info.k[2]) == (250.0, 127.5, 159.75)


def test_an_uncalibrated_camera_stays_uncalibrated():
    info = scale_camera_info(camera(k=[0.0] * 9, p=[0.0] * 12), (480, 640), (9, 12), HEADER)
    assert set(info.k) == set(info.p) == {0.0}


@pytest.mark.parametrize('scale', [1, 2, 3, 4])
def test_a_point_in_space_is_where_the_mask_shows_it(channel_model, scale):
    # A red corner of something in space: it lies between pixels, at (x, y, depth) in metres.
    height, width = channel_model.info.input_size
    image_bgr = np.full((height * scale, width * scale, 3), (220, 20, 20), np.uint8)
    image_bgr[6 * scale :, 20 * scale :] = (20, 20, 220)
    u, v, depth_m = 20 * scale - 0.5, 6 * scale - 0.5, 3.0
    fx, fy, cx, cy = 70.0 * scale, 60.0 * scale, 15.0 * scale, 9.0 * scale
    point = np.array([(u - cx) / fx * depth_m, (v - cy) / fy * depth_m, depth_m])
    info = CameraInfo(
        width=width * scale,
        height=height * scale,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )

    runtime = open_runtime(channel_model, RuntimeSettings())
    with Segmenter(runtime, MaskSettings(mask_size='network')) as segmenter:
        (result,) = segmenter.segment([image_bgr])
    (edge_v,) = np.flatnonzero(np.diff(result.labels[:, -1])) + 0.5
    (edge_u,) = np.flatnonzero(np.diff(result.labels[-1])) + 0.5

    scaled = scale_camera_info(info, image_bgr.shape[:2], result.labels.shape, HEADER)
    for matrix in (np.reshape(scaled.k, (3, 3)), np.reshape(scaled.p, (3, 4))[:, :3]):
        column, row, unit = matrix @ point / depth_m
        assert unit == 1.0
        assert (column, row) == pytest.approx((edge_u, edge_v), abs=1e-9)


@pytest.mark.parametrize(
    'fields',
    [
        {},
        {'binning_x': 2, 'binning_y': 2},
        {'roi': RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240)},
    ],
)
def test_planners_see_the_same_camera_in_the_geometry_of_image_and_mask(fields):
    info = camera(**fields, r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    seen = make_camera(Calibration.from_message(info))
    scaled = make_camera(
        Calibration.from_message(scale_camera_info(info, seen.size, (60, 80), HEADER))
    )
    expected = seen.resized((60, 80))
    assert scaled.focal == pytest.approx(expected.focal)
    assert scaled.center == pytest.approx(expected.center)


ROI = RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240)


@pytest.mark.parametrize(
    ('info', 'words'),
    [
        (CameraInfo(), 'the size of the image, 320x240, found 0x0'),
        # The proportions of the image are not enough: nobody knows what a driver cut or resized.
        (camera(), 'the size of the image, 320x240, found 640x480'),
        (camera(width=320, height=241), 'found 320x241'),
        (camera(width=320, height=240, roi=ROI), r'inside 320x240 .* 320x240 at \(100, 40\)'),
        (camera(roi=ROI, binning_x=2), r'found 160x240 \(of 640x480, by roi and binning\)'),
    ],
)
def test_geometry_of_another_size_is_refused_by_name(info, words):
    for refuse in (
        lambda: scale_camera_info(info, (240, 320), (120, 160), HEADER),
        lambda: check_camera_info(info, info.header.frame_id, (240, 320)),
    ):
        with pytest.raises(InputError, match=words):
            refuse()


@pytest.mark.parametrize(
    'info', [camera(roi=ROI), camera(binning_x=2, binning_y=2), camera(width=320, height=240)]
)
def test_geometry_of_the_size_of_the_image_is_taken(info):
    check_camera_info(info, '', (240, 320))


@pytest.mark.parametrize('frames', [('front', 'rear'), ('front', ''), ('', 'rear')])
def test_geometry_of_another_frame_is_refused_by_name(frames):
    info = camera(header=Header(frame_id=frames[1]))
    with pytest.raises(InputError, match=f'{frames[0]!r}, found {frames[1]!r}'):
        check_camera_info(info, frames[0], (480, 640))
