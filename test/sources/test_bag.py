"""Bags as sources."""

from __future__ import annotations

import array
from pathlib import Path
import re
import shutil
import sys

import cv2
from encoded_images import encoded_image, ENCODED_IMAGES, EncodedImage
from espnet_ros.exceptions import InputError
from espnet_ros.sources import BrokenFrame, Frame, open_source
import numpy as np
from pictures import at_share, encoded, textured, TURNED_HALF, with_orientation
import pytest

pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")

from bags import gray_image as gray
from bags import Message, photo, serialize, START_NS, TYPES, write_bag
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

STORAGES = [StoragePlugin.MCAP, StoragePlugin.SQLITE3]
both_storages = pytest.mark.parametrize('storage', STORAGES, ids=['mcap', 'sqlite3'])


def raw(encoding: str = 'bgr8') -> Message:
    return message_of(encoded_image(encoding))


def message_of(image: EncodedImage, padding: int = 0) -> Message:
    fields = image.fields(padding)
    return 'Image', fields | {'data': np.frombuffer(fields['data'], np.uint8)}


def storage_file(bag: Path) -> Path:
    (path,) = (p for p in bag.iterdir() if p.suffix in ('.mcap', '.db3'))
    return path


@both_storages
@pytest.mark.parametrize('image', ENCODED_IMAGES, ids=lambda image: image.encoding)
def test_every_encoding_of_the_nodes_is_read(
    tmp_path: Path, image: EncodedImage, storage: StoragePlugin
) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [message_of(image, 6)]}, storage=storage)
    (frame,) = open_source(str(bag))
    assert isinstance(frame, Frame)
    assert image.is_shown_by(frame.image_bgr)
    assert frame.image_bgr.flags.writeable


@both_storages
def test_frames_have_the_stamps_and_the_frame_of_their_headers(
    tmp_path: Path, storage: StoragePlugin
) -> None:
    stamps_ns = [5, 1_500_000_000, 12_000_000_123]
    messages = [gray(value) for value in (10, 11, 12)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw': messages}, storage=storage,
                    stamps_ns=stamps_ns)  # fmt: skip
    with open_source(str(bag)) as source:
        frames = [frame for frame in source if isinstance(frame, Frame)]
    assert [frame.stamp_ns for frame in frames] == stamps_ns
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert {frame.frame_id for frame in frames} == {'front'}
    assert [frame.image_bgr[0, 0, 0] for frame in frames] == [10, 11, 12]
    assert [frame.name for frame in frames] == [
        '0000000000.000000005', '0000000001.500000000', '0000000012.000000123',
    ]  # fmt: skip


@both_storages
def test_one_file_of_a_bag_is_a_source_too(tmp_path: Path, storage: StoragePlugin) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw(), raw()]}, storage=storage)
    with open_source(str(storage_file(bag))) as source:
        assert (source.frame_count, source.size, source.rate_hz) == (2, (4, 6), 20.0)
        assert len(list(source)) == 2


def test_compressed_images_are_read(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw/compressed': [photo(7), photo(8)]})
    assert [frame.image_bgr[0, 0, 0] for frame in open_source(str(bag))] == [7, 8]


def compressed(text: str, data: bytes) -> Message:
    return 'CompressedImage', {'format': text, 'data': np.frombuffer(data, np.uint8)}


def test_a_compressed_mosaic_becomes_colors(tmp_path: Path) -> None:
    image = encoded_image('bayer_rggb8')
    message = compressed('bayer_rggb8; png compressed ', encoded('.png', image.rows))
    bag = write_bag(tmp_path / 'bag', {'/image_raw/compressed': [message]})
    (frame,) = open_source(str(bag))
    assert isinstance(frame, Frame)
    assert image.is_shown_by(frame.image_bgr)


def test_a_damaged_jpeg_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    whole = encoded('.jpg', textured())
    at = at_share(whole, 0.5)
    messages = [compressed('jpeg', d) for d in (whole, whole[:at] + whole[at + 500 :], whole)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw/compressed': messages})
    first, broken, last = open_source(str(bag))
    assert isinstance(broken, BrokenFrame)
    assert "image 1: compressed image, format 'jpeg': the JPEG is damaged" in broken.reason
    for frame in (first, last):
        assert isinstance(frame, Frame)
        assert frame.image_bgr.shape == (120, 160, 3)


def test_a_recorded_image_is_not_turned_by_its_orientation(tmp_path: Path) -> None:
    upright = encoded('.jpg', textured())
    turned = with_orientation(upright, TURNED_HALF)
    messages = [compressed('jpeg', data) for data in (upright, turned)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw/compressed': messages})
    first, second = (f.image_bgr for f in open_source(str(bag)) if isinstance(f, Frame))
    np.testing.assert_array_equal(first, second)


def test_deep_images_have_the_bit_depth_of_their_camera(tmp_path: Path) -> None:
    values = np.full((4, 6), 200 << 4, np.uint16)
    fields = {'encoding': 'mono16', 'height': 4, 'width': 6, 'is_bigendian': 0, 'step': 12}
    bag = write_bag(
        tmp_path / 'bag',
        {
            '/raw': [('Image', fields | {'data': values.view(np.uint8).ravel()})],
            '/png': [compressed('mono16; png compressed ', encoded('.png', values))],
        },
    )
    for topic in ('raw', 'png'):
        for bit_depth, expected in ((12, 200), (16, 12)):
            (frame,) = open_source(f'{bag}:/{topic}', bit_depth=bit_depth)
            assert isinstance(frame, Frame)
            assert (frame.image_bgr == expected).all()


def test_rate_and_count_are_those_of_the_topic(tmp_path: Path) -> None:
    topics = {'/rear': [gray(1)] * 9, '/front': [gray(2)] * 4}
    stamps_ns = [n * 100_000_000 for n in range(9)]
    bag = write_bag(tmp_path / 'bag', topics, stamps_ns=stamps_ns)
    with open_source(f'{bag}:/front') as source:
        assert (source.frame_count, source.rate_hz) == (4, 10.0)
        assert {frame.image_bgr[0, 0, 0] for frame in source} == {2}
    with open_source(f'{bag}:rear', rate_hz=3.0) as source:
        assert (source.frame_count, source.rate_hz) == (9, 3.0)


def test_a_driver_that_sets_no_stamps_plays_as_it_was_recorded(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw()] * 3}, stamps_ns=[0, 0, 0])
    with open_source(str(bag)) as source:
        assert source.rate_hz == 20.0
        names = [frame.name for frame in source]
    assert names == [
        '0000000000.000000000', '0000000000.000000000_000001', '0000000000.000000000_000002',
    ]  # fmt: skip


@both_storages
def test_a_bag_with_the_names_of_lyrical_is_read(tmp_path: Path, storage: StoragePlugin) -> None:
    """Its recorder calls the parts COUNTER_PREFIX_TIME."""
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw(), raw()]}, storage=storage)
    old = storage_file(bag)
    new = old.with_name(f'0_drive_2026_11_26-10_00_00{old.suffix}')
    old.rename(new)
    metadata = bag / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace(old.name, new.name))
    for source in (bag, new):
        assert len(list(open_source(str(source)))) == 2


def test_a_bag_is_looped(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [gray(1), gray(2)]})
    frames = iter(open_source(str(bag), loop=True))
    assert [next(frames).image_bgr[0, 0, 0] for _ in range(5)] == [1, 2, 1, 2, 1]


def test_topics_without_a_message_do_not_count(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/front': [raw()], '/rear': []})
    assert len(list(open_source(str(bag)))) == 1


def test_several_image_topics_are_listed(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/rear': [raw()], '/front': [raw(), raw()]})
    with pytest.raises(InputError) as caught:
        open_source(str(bag))
    assert str(caught.value) == (
        f'{bag}: expected one topic with images, found /front (2), /rear (1); name one, as in '
        f'{bag}:/front'
    )


def test_a_topic_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/front': [raw()]})
    with pytest.raises(
        InputError, match=r'no images on topic /left; expected one of /front \(1\)'
    ):
        open_source(f'{bag}:/left')


def test_a_bag_without_images_is_refused(tmp_path: Path) -> None:
    fields = {'temperature': 1.0, 'variance': 0.0}
    bag = write_bag(tmp_path / 'bag', {'/heat': [('Temperature', fields)]})
    with pytest.raises(InputError, match='expected a bag with messages of sensor_msgs/Image'):
        open_source(str(bag))


def test_an_encoding_that_nobody_knows_is_one_error(tmp_path: Path) -> None:
    name, fields = gray(1)
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [(name, fields | {'encoding': '32FC1'})] * 3})
    with pytest.raises(InputError, match=r"no image can be read: image encoding '32FC1': exp"):
        open_source(str(bag))


def test_images_that_cannot_be_read_are_reported_and_the_others_are_read(tmp_path: Path) -> None:
    name, fields = gray(1)
    cut = (name, fields | {'data': np.zeros(5, np.uint8)})
    messages = [b'\x00\x01\x00\x00', gray(10), cut, gray(12, (8, 6)), gray(13)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw': messages})
    frames = list(open_source(str(bag)))
    reasons = [frame.reason for frame in frames if isinstance(frame, BrokenFrame)]
    assert [frame.index for frame in frames if isinstance(frame, Frame)] == [1, 4]
    for reason, told in zip(
        reasons,
        ('damaged sensor_msgs/msg/Image message', 'found 5', 'expected 6x4 as in the first'),
        strict=True,
    ):
        assert told in reason
        assert f'/image_raw of bag {bag}' in reason


@both_storages
@pytest.mark.parametrize('kept', [0.0, 0.02, 0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize('of_folder', [True, False], ids=['folder', 'file'])
def test_a_bag_that_breaks_off_is_an_error_of_one_line(
    tmp_path: Path, storage: StoragePlugin, kept: float, of_folder: bool
) -> None:
    messages = [gray(10 + n, (100, 100)) for n in range(20)]
    bag = write_bag(tmp_path / 'bag', {'/image_raw': messages}, storage=storage)
    path = storage_file(bag)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    try:
        frames = list(open_source(str(bag if of_folder else path)))
    except InputError as error:
        assert re.search(r'damaged|breaks off', str(error))
        assert str(bag) in str(error)
        assert '\n' not in str(error)
    else:
        # SQLite 3.53 does without the last page, where nothing but an index lies.
        assert (storage, kept, len(frames)) == (StoragePlugin.SQLITE3, 0.99, 20)


@pytest.mark.ros
@both_storages
def test_messages_that_ros_itself_serialised_are_read(
    tmp_path: Path, storage: StoragePlugin
) -> None:
    serialization = pytest.importorskip('rclpy.serialization', reason='no ROS')
    from builtin_interfaces.msg import Time
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    header = Header(stamp=Time(sec=7, nanosec=9), frame_id='rear_optical_frame')
    fields = encoded_image('nv12').fields(6)
    message = Image(header=header, **fields | {'data': array.array('B', fields['data'])})
    data = serialization.serialize_message(message)
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [data]}, storage=storage)
    (frame,) = open_source(str(bag))
    assert encoded_image('nv12').is_shown_by(frame.image_bgr)
    assert (frame.stamp_ns, frame.frame_id) == (7_000_000_009, 'rear_optical_frame')


def test_a_bag_without_metadata_says_how_to_make_it(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw()]})
    (bag / 'metadata.yaml').unlink()
    with pytest.raises(InputError, match=f'run "ros2 bag reindex {bag}"'):
        open_source(str(bag))


@pytest.mark.parametrize('mode', [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_bags_are_read(tmp_path: Path, mode: CompressionMode) -> None:
    whole = write_bag(tmp_path / 'whole', {'/image_raw': [gray(5)]})
    bag = tmp_path / 'bag'
    writer = Writer(bag, version=9, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection('/image_raw', 'sensor_msgs/msg/Image', typestore=TYPES)
        writer.write(connection, START_NS, serialize(*gray(5), START_NS))
    (expected,), (found,) = open_source(str(whole)), open_source(str(bag))
    assert np.array_equal(found.image_bgr, expected.image_bgr)
    assert found.stamp_ns == START_NS


def test_images_beside_a_file_that_is_no_bag_stay_a_folder(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((4, 6, 3), np.uint8))
    (tmp_path / 'metadata.yaml').write_text('made by hand')
    assert [frame.name for frame in open_source(str(tmp_path))] == ['a']


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw()]})
    for name in [n for n in sys.modules if n.startswith('espnet_ros.sources.bag')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'rosbags.rosbag2', None)
    with pytest.raises(InputError, match='not installed: pip install rosbags'):
        open_source(str(bag))


def test_a_bag_in_a_folder_of_its_name_with_a_colon_is_found(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', {'/image_raw': [raw()]})
    named = shutil.move(bag, tmp_path / 'at_10:30')
    assert len(list(open_source(str(named)))) == 1
    assert len(list(open_source(f'{named}:/image_raw'))) == 1
