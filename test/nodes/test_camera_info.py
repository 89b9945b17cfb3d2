import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from espnet_ros.exceptions import InputError
from espnet_ros.nodes.camera_info import scale_camera_info
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
    assert list(info.k) == [250.0, 0.0, 160.0, 0.0, 127.5, 60.0, 0.0, 0.0, 1.0]
    assert list(info.p) == [250, 0, 160, -25, 0, 127.5, 60, 0, 0, 0, 1, 0]
    assert info.header is HEADER


def test_distortion_and_rectification_stay():
    info = scale_camera_info(camera(), (480, 640), (120, 320), HEADER)
    assert (list(info.d), list(info.r)) == (list(camera().d), list(camera().r))
    assert info.distortion_model == 'plumb_bob'


def test_a_region_of_interest_moves_the_principal_point():
    roi = RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240, do_rectify=True)
    info = scale_camera_info(camera(roi=roi), (240, 320), (120, 160), HEADER)
    assert (info.k[2], info.k[5]) == (110.0, 100.0)
    assert (info.p[2], info.p[6], info.p[3]) == (110.0, 100.0, -25.0)
    assert (info.roi.width, info.roi.x_offset, info.roi.do_rectify) == (0, 0, True)


def test_binning_is_part_of_the_scale():
    info = scale_camera_info(camera(binning_x=2, binning_y=2), (240, 320), (240, 320), HEADER)
    assert (info.k[0], info.k[2], info.binning_x, info.binning_y) == (250.0, 160.0, 0, 0)


def test_a_driver_that_resized_its_image_but_not_its_geometry_is_put_right():
    info = scale_camera_info(camera(), (240, 320), (240, 320), HEADER)
    assert (info.k[0], info.k[2]) == (250.0, 160.0)


def test_an_uncalibrated_camera_stays_uncalibrated():
    info = scale_camera_info(camera(k=[0.0] * 9, p=[0.0] * 12), (480, 640), (9, 12), HEADER)
    assert set(info.k) == set(info.p) == {0.0}


@pytest.mark.parametrize(
    ('info', 'words'),
    [
        (CameraInfo(), 'found 0'),
        (camera(width=640, height=640), 'proportions of the image, 640x480, found 640x640'),
    ],
)
def test_geometry_that_is_of_no_image_or_of_another_is_refused(info, words):
    with pytest.raises(InputError, match=words):
        scale_camera_info(info, (480, 640), (120, 160), HEADER)
