"""The calibrations of a bag's images."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator
import logging
from pathlib import Path

from espnet_ros.exceptions import InputError
from espnet_ros.planning.geometry.camera import Calibration
from espnet_ros.sources import BrokenFrame, Frame, FrameCalibration, open_source
import pytest

pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")

from bags import camera_info, gray_image, Message, photo, record_bag, Recorded, STEP_NS, write_bag
from espnet_ros.sources.bag_pairing import LOOK_AHEAD, paired
from espnet_ros.sources.bag_reader import BagCalibration, BagImage
from rosbags.rosbag2 import StoragePlugin

MS = 1_000_000
IMAGES, INFOS = '/front/image_raw', '/front/camera_info'
both_storages = pytest.mark.parametrize(
    'storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=['mcap', 'sqlite3']
)


def images(count: int, lag_ns: int = 0) -> list[Recorded]:
    """Return images of 10, 11, 12 ..., recorded so long after their stamps."""
    return [
        Recorded(IMAGES, gray_image(10 + n), n * STEP_NS + lag_ns, n * STEP_NS)
        for n in range(count)
    ]


def infos(count: int, lag_ns: int = 0, shift_ns: int = 0) -> list[Recorded]:
    """Return camera_info of focal lengths 10, 11, 12 ..., with stamps so much later."""
    return [
        Recorded(INFOS, camera_info(10.0 + n), n * STEP_NS + lag_ns, n * STEP_NS + shift_ns)
        for n in range(count)
    ]


def pairs(frames: Iterable[Frame | BrokenFrame]) -> list[tuple[int, float | None]]:
    """Return the value of each image, and the focal length beside it."""
    return [
        (int(frame.image_bgr[0, 0, 0]), frame.calibration and frame.calibration.calibration.k[0])
        for frame in frames
        if isinstance(frame, Frame)
    ]


@both_storages
@pytest.mark.parametrize(
    ('image_lag_ns', 'info_lag_ns'),
    [(0, 1 * MS), (1 * MS, 0), (0, 2 * STEP_NS + MS), (5 * STEP_NS, 0)],
    ids=['image first', 'info first', 'info much later', 'image much later'],
)
def test_each_image_has_the_calibration_of_its_stamp(
    tmp_path: Path, storage: StoragePlugin, image_lag_ns: int, info_lag_ns: int
) -> None:
    messages = [*images(12, image_lag_ns), *infos(12, info_lag_ns)]
    bag = record_bag(tmp_path / 'bag', messages, storage=storage)
    with open_source(str(bag)) as source:
        assert source.calibration is not None
        assert source.calibration.calibration.k[0] == 10.0
        assert pairs(source) == [(10 + n, 10.0 + n) for n in range(12)]


@both_storages
@pytest.mark.parametrize('info_lag_ns', [0, 10 * MS], ids=['info first', 'image first'])
def test_where_stamps_differ_it_is_the_last_before_the_image(
    tmp_path: Path, storage: StoragePlugin, info_lag_ns: int
) -> None:
    early = record_bag(
        tmp_path / 'early', [*images(9, MS), *infos(9, info_lag_ns, -3 * MS)], storage=storage
    )
    assert pairs(open_source(str(early))) == [(10 + n, 10.0 + n) for n in range(9)]
    late = record_bag(
        tmp_path / 'late', [*images(9, MS), *infos(9, info_lag_ns, 3 * MS)], storage=storage
    )
    assert pairs(open_source(str(late))) == [(10, None)] + [(10 + n, 9.0 + n) for n in range(1, 9)]


def test_a_calibration_that_is_sent_once_serves_every_image(tmp_path: Path) -> None:
    bag = record_bag(tmp_path / 'bag', [*infos(1, 0, -MS), *images(200)])
    assert {focal for _, focal in pairs(open_source(str(bag)))} == {10.0}


def test_drivers_that_set_no_stamps_are_paired_as_they_were_recorded(tmp_path: Path) -> None:
    messages = [Recorded(IMAGES, gray_image(10 + n), n * STEP_NS + MS) for n in range(5)]
    messages += [Recorded(INFOS, camera_info(10.0 + n), n * STEP_NS) for n in range(5)]
    bag = record_bag(tmp_path / 'bag', messages)
    assert pairs(open_source(str(bag))) == [(10 + n, 10.0 + n) for n in range(5)]


@both_storages
def test_nothing_of_a_calibration_is_lost(tmp_path: Path, storage: StoragePlugin) -> None:
    info = Recorded(INFOS, camera_info(50.0), 0, 0, frame_id='rear')
    bag = record_bag(tmp_path / 'bag', [*images(1, MS), info], storage=storage)
    (frame,) = open_source(str(bag))
    assert isinstance(frame, Frame)
    assert frame.frame_id == 'front'
    assert frame.calibration == FrameCalibration(
        Calibration(
            size=(4, 6),
            model='equidistant',
            d=(0.1, 0.2, 0.3, 0.4),
            k=(50.0, 0.0, 2.5, 0.0, 50.0, 1.5, 0.0, 0.0, 1.0),
            p=(50.0, 0.0, 2.5, 7.0, 0.0, 50.0, 1.5, 0.0, 0.0, 0.0, 1.0, 0.0),
            roi=(1, 2, 4, 3),
            binning=(2, 3),
        ),
        frame_id='rear',
        do_rectify=True,
    )


@pytest.mark.ros
@both_storages
def test_a_calibration_that_ros_itself_serialised_is_read(
    tmp_path: Path, storage: StoragePlugin
) -> None:
    serialization = pytest.importorskip('rclpy.serialization', reason='no ROS')
    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

    k = [7.0, 0.0, 3.0, 0.0, 8.0, 2.0, 0.0, 0.0, 1.0]
    header = Header(frame_id='rear_optical_frame')
    message = CameraInfo(
        header=header, height=4, width=6, distortion_model='plumb_bob', k=k, d=array.array('d', [])
    )
    bag = write_bag(
        tmp_path / 'bag',
        {
            '/image_raw': [gray_image(1), gray_image(2)],
            '/camera_info': [serialization.serialize_message(message), camera_info(1.0)],
        },
        storage=storage,
    )
    calibration = open_source(str(bag)).calibration
    assert calibration is not None
    assert calibration.frame_id == 'rear_optical_frame'
    assert (calibration.calibration.k, calibration.calibration.d) == (tuple(k), ())


@pytest.mark.parametrize(
    ('image_topic', 'message', 'info_topic'),
    [
        ('/front/image_raw', gray_image(1), '/front/camera_info'),
        ('/front/image_raw/compressed', photo(1), '/front/camera_info'),
        ('/image_raw', gray_image(1), '/camera_info'),
        ('/image_raw/compressed', photo(1), '/camera_info'),
        ('/front/compressed', gray_image(1), '/front/camera_info'),
        ('/robot/front/photo', photo(1), '/robot/front/camera_info'),
    ],
)
def test_the_calibration_is_the_one_beside_the_image(
    tmp_path: Path, image_topic: str, message: Message, info_topic: str
) -> None:
    topics = {image_topic: [message], info_topic: [camera_info(1.0)]}
    topics['/other/camera_info'] = [camera_info(2.0)]
    bag = write_bag(tmp_path / 'bag', topics)
    assert pairs(open_source(str(bag))) == [(1, 1.0)]
    others = open_source(str(bag), camera_info_topic='/other/camera_info')
    assert pairs(others) == [(1, 2.0)]


def test_a_bag_without_it_has_none_and_others_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = write_bag(tmp_path / 'plain', {IMAGES: [gray_image(1)]})
    topics = {IMAGES: [gray_image(1)], '/left/camera_info': [camera_info(2.0)] * 3}
    bag = write_bag(tmp_path / 'bag', topics)
    with caplog.at_level(logging.INFO, 'espnet_ros'):
        assert open_source(str(plain)).calibration is None
        assert not caplog.records
        source = open_source(str(bag))
    assert source.calibration is None
    assert pairs(source) == [(1, None)]
    (record,) = caplog.records
    assert '/front/camera_info' in record.getMessage()
    assert '/left/camera_info (3)' in record.getMessage()


def test_a_topic_that_has_no_calibrations_is_refused(tmp_path: Path) -> None:
    topics = {IMAGES: [gray_image(1)], INFOS: [camera_info(2.0)] * 3}
    bag = write_bag(tmp_path / 'bag', topics)
    for wrong in ('/left/camera_info', IMAGES):
        with pytest.raises(InputError, match=rf'{wrong}; expected one of {INFOS} \(3\)'):
            open_source(str(bag), camera_info_topic=wrong)
    with pytest.raises(InputError, match='camera_info_topic names a topic of a bag'):
        open_source('synthetic', camera_info_topic=INFOS)


def test_calibrations_that_cannot_be_read_are_told_once_and_the_others_serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = infos(6)
    damaged = [Recorded(INFOS, b'\x00\x01\x00\x00abc', e.recorded_ns, e.stamp_ns) for e in good]
    bag = record_bag(tmp_path / 'bag', [*images(6, MS), *good[:2], *damaged[2:4], *good[4:]])
    source = open_source(str(bag), loop=True)
    frames = iter(source)
    shown = pairs(next(frames) for _ in range(12))
    assert [focal for _, focal in shown] == [10.0, 11.0, 11.0, 11.0, 14.0, 15.0] * 2
    (record,) = caplog.records
    assert f'{INFOS}: left out what cannot be read: damaged sensor_msgs/msg/CameraInfo' in (
        record.getMessage()
    )


def test_where_no_calibration_can_be_read_the_images_come_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = [Recorded(INFOS, b'\x00\x01\x00\x00abc', n * MS) for n in range(30)]
    last = Recorded(INFOS, camera_info(1.0), STEP_NS)
    source = open_source(str(record_bag(tmp_path / 'bag', [*images(3), *damaged, last])))
    assert source.calibration is None
    assert pairs(source) == [(10, None), (11, None), (12, None)]
    (record,) = caplog.records
    assert f'{INFOS}: left out, none can be read' in record.getMessage()


def image(stamp_ns: int) -> BagImage:
    return BagImage(stamp_ns, 'front', None, is_compressed=False)


def calibration(stamp_ns: int) -> BagCalibration:
    return BagCalibration(stamp_ns, FrameCalibration(Calibration((4, 6), '', (), ())))


def test_no_more_images_wait_than_the_look_ahead() -> None:
    taken = 0

    def recorded() -> Iterator[BagImage | BagCalibration]:
        nonlocal taken
        yield calibration(5)
        for taken in range(1, 1000):
            yield image(10 + taken)

    for given, _ in enumerate(paired(recorded()), start=1):
        assert taken <= given + LOOK_AHEAD


def test_a_bag_that_breaks_off_gives_the_images_before() -> None:
    last, broken = image(30), InputError('damaged image')

    def recorded() -> Iterator[BagImage | BagCalibration | InputError]:
        yield calibration(5)
        yield image(20)
        yield broken
        yield last
        raise InputError('breaks off')

    given = []
    with pytest.raises(InputError, match='breaks off'):
        given.extend(found for found, _ in paired(recorded()))
    assert given[1:] == [broken, last]
