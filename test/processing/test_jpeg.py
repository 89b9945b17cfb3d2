"""JPEGs that came whole, and those that did not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_formats import jpeg as jpeg_module
from espnet_ros.processing.image_formats.jpeg import decode_jpeg
import numpy as np
from pictures import at_share, data_span, encoded, textured, with_segment
import pytest

QUALITY, OPTIMIZE = cv2.IMWRITE_JPEG_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE
RESTARTS = (cv2.IMWRITE_JPEG_RST_INTERVAL, 10)  # one for each row of MCUs
KINDS = {
    'plain': (),
    'coarse': (QUALITY, 5),
    'fine': (QUALITY, 100),
    'optimized': (OPTIMIZE, 1),
    'progressive': (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    'restarts': RESTARTS,
    'restarts of one MCU': (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    'restarts within rows': (cv2.IMWRITE_JPEG_RST_INTERVAL, 7, OPTIMIZE, 1),
}
Damage = Callable[[bytes], bytes]


@pytest.fixture(params=[True, False], ids=['runs dry', 'fills with gray'])
def _either_opencv(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have decoding as with OpenCV since 4.11, where this one is, and as before."""
    if request.param and not jpeg_module._opencv_tells_missing_data():
        pytest.skip(f'OpenCV {cv2.__version__} does not tell that data are missing')
    monkeypatch.setattr(jpeg_module, '_opencv_tells_missing_data', lambda: request.param)


either_opencv = pytest.mark.usefixtures('_either_opencv')


def opencv(file: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    image: np.ndarray = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    return image


def lost(length: int, share: float = 0.5) -> Damage:
    def damage(file: bytes) -> bytes:
        at = at_share(file, share)
        return file[:at] + file[at + length :]

    return damage


def overwritten(content: bytes, share: float = 0.5) -> Damage:
    def damage(file: bytes) -> bytes:
        at = at_share(file, share)
        return file[:at] + content + file[at + len(content) :]

    return damage


@either_opencv
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    'image',
    [
        textured(),
        textured()[..., 0],
        textured(117, 153),
        textured(1, 1),
        np.full((64, 48, 3), 128, np.uint8),  # the gray that libjpeg fills with
        np.full((64, 48), 128, np.uint8),
        np.zeros((64, 48, 3), np.uint8),
        np.vstack([textured(64, 48), np.full((64, 48, 3), 128, np.uint8)]),
        np.vstack([textured(64, 48), np.zeros((64, 48, 3), np.uint8)]),
    ],
    ids=['color', 'gray', 'odd', 'pixel', 'flat', 'flat gray', 'black', 'half', 'half black'],
)
def test_whole_images_are_decoded_as_opencv_does_and_in_silence(
    kind: str, image: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    file = encoded('.jpg', image, *KINDS[kind])
    for flags in (cv2.IMREAD_UNCHANGED, cv2.IMREAD_COLOR):
        np.testing.assert_array_equal(decode_jpeg(file, flags), opencv(file, flags))
    assert capfd.readouterr().err == ''


@either_opencv
@pytest.mark.parametrize('options', [(), (OPTIMIZE, 1), RESTARTS], ids=['plain', 'opt', 'rst'])
@pytest.mark.parametrize('share', [0.05, 0.3, 0.9])
@pytest.mark.parametrize('color', [True, False], ids=['color', 'gray'])
def test_a_lost_piece_is_noticed(options: tuple[int, ...], share: float, color: bool) -> None:
    image = textured() if color else textured()[..., 0]
    file = lost(400, share)(encoded('.jpg', image, *options))
    with pytest.raises(InputError, match='the JPEG is damaged'):
        decode_jpeg(file, cv2.IMREAD_UNCHANGED)


def test_a_few_lost_bytes_are_noticed_and_standard_error_stays_empty(
    capfd: pytest.CaptureFixture[str],
) -> None:
    if not jpeg_module._opencv_tells_missing_data():
        pytest.skip(f'OpenCV {cv2.__version__} does not tell that data are missing')
    start, end = data_span(encoded('.jpg', textured()))
    for length in (60, 90, 150):
        with pytest.raises(InputError, match='its data end before the image does'):
            decode_jpeg(lost(length, 1 - length / (end - start))(encoded('.jpg', textured())), 1)
    assert capfd.readouterr().err == ''


@either_opencv
@pytest.mark.parametrize('options', [(), (QUALITY, 100), RESTARTS], ids=['95', '100', 'rst'])
@pytest.mark.parametrize('length', [64, 500])
def test_zeros_in_the_middle_are_noticed(options: tuple[int, ...], length: int) -> None:
    file = overwritten(bytes(length))(encoded('.jpg', textured(), *options))
    with pytest.raises(InputError, match=r'a part of its data is zeros|restart markers'):
        decode_jpeg(file, cv2.IMREAD_UNCHANGED)


def test_zeros_are_nothing_odd_where_they_mean_flat_areas() -> None:
    """The shortest code of such an image's own table is the end of a block."""
    image = np.full((480, 640), 200, np.uint8)
    file = encoded('.jpg', image, OPTIMIZE, 1)
    assert bytes(100) in file
    np.testing.assert_array_equal(decode_jpeg(file, cv2.IMREAD_UNCHANGED), opencv(file))


@pytest.mark.parametrize('code', [0x01, 0x23, 0xC0, 0xD3, 0xD8, 0xDA, 0xE0, 0xFE])
def test_a_marker_among_the_data_is_noticed(code: int) -> None:
    file = overwritten(bytes((0x55, 0xFF, code, 0x55)))(encoded('.jpg', textured()))
    with pytest.raises(InputError, match=rf'marker 0xff{code:02x} lies|0 restart markers'):
        decode_jpeg(file, cv2.IMREAD_UNCHANGED)


def test_a_restart_marker_that_is_not_there_or_not_in_order_is_noticed() -> None:
    file = encoded('.jpg', textured(), *RESTARTS)
    third = file.index(b'\xff\xd2')
    for damaged in (file[:third] + file[third + 2 :], file.replace(b'\xff\xd2', b'\xff\xd4', 1)):
        with pytest.raises(InputError, match='restart markers in their order'):
            decode_jpeg(damaged, cv2.IMREAD_UNCHANGED)


def test_the_end_of_one_image_behind_the_start_of_another_is_noticed() -> None:
    """A buffer that a driver filled twice."""
    first, second = encoded('.jpg', textured()), encoded('.jpg', textured()[::-1])
    glued = first[: at_share(first, 0.5)] + second
    with pytest.raises(InputError, match='marker 0xffd8 lies among its data'):
        decode_jpeg(glued, cv2.IMREAD_UNCHANGED)


@either_opencv
@pytest.mark.parametrize(
    'extra',
    [
        b'\x5a' * 651,
        bytes(700),
        b'\xff' * 20,
        b'\xff\xfe\x00\x06text',
        b'\xff\xe9\x00\x04hi\xff\xe9\x00\x02',
    ],
    ids=['bytes', 'zeros', 'fill bytes', 'comment', 'application data'],
)
def test_what_cameras_put_before_the_end_marker_is_no_damage(
    extra: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    file = encoded('.jpg', textured())
    padded = file[:-2] + extra + file[-2:]
    np.testing.assert_array_equal(decode_jpeg(padded, -1), opencv(file))


def test_what_follows_the_end_marker_is_ignored() -> None:
    file = encoded('.jpg', textured())
    older = encoded('.jpg', textured(), QUALITY, 100)
    for rest in (bytes(999), older[-999:], older):
        np.testing.assert_array_equal(decode_jpeg(file + rest, -1), opencv(file))


@either_opencv
def test_images_of_webcams_that_send_no_huffman_tables_are_checked_too() -> None:
    file = encoded('.jpg', textured())
    without = bytearray(file)
    while (at := without.find(b'\xff\xc4')) >= 0:
        del without[at : at + 2 + int.from_bytes(without[at + 2 : at + 4], 'big')]
    assert len(without) < len(file)
    np.testing.assert_array_equal(decode_jpeg(bytes(without), -1), opencv(file))
    with pytest.raises(InputError, match='damaged'):
        decode_jpeg(lost(400)(bytes(without)), -1)


@pytest.mark.parametrize('share', [0.0, 0.2, 0.99])
@pytest.mark.parametrize('kind', KINDS)
def test_a_cut_off_image_is_told_as_such(kind: str, share: float) -> None:
    file = encoded('.jpg', textured(), *KINDS[kind])
    with pytest.raises(InputError, match=r'cut off after \d+ bytes; its end is missing'):
        decode_jpeg(file[: at_share(file, share)], -1)


def test_a_thumbnail_is_not_taken_for_the_image() -> None:
    file = encoded('.jpg', textured())
    whole = with_segment(file, 0xE1, encoded('.jpg', textured(16, 16)))
    np.testing.assert_array_equal(decode_jpeg(whole, -1), opencv(file))


def test_a_damaged_size_does_not_take_the_memory() -> None:
    file = encoded('.jpg', textured())
    size = (120).to_bytes(2, 'big') + (160).to_bytes(2, 'big')
    huge = file.replace(size, b'\x7f\x00\x7f\x00', 1)
    assert huge != file
    with pytest.raises(InputError, match='too few data for its size'):
        decode_jpeg(huge, -1)


@pytest.mark.parametrize('at', range(2, 24))
def test_a_header_that_is_nonsense_ends_in_an_error_or_an_image(at: int) -> None:
    file = encoded('.jpg', textured(16, 16))
    for scan in (0, file.index(b'\xff\xc0'), file.index(b'\xff\xda')):
        for value in (0, 1, 255):
            broken = file[: scan + at] + bytes([value]) + file[scan + at + 1 :]
            try:
                decode_jpeg(broken, -1)
            except (InputError, cv2.error):
                continue


def test_every_photograph_of_camvid_is_whole(shared_data: Path) -> None:
    files = sorted((shared_data / 'camvid' / 'train').glob('*.jpg'))
    assert len(files) == 367
    for path in files:
        decode_jpeg(path.read_bytes(), cv2.IMREAD_REDUCED_GRAYSCALE_8)


@either_opencv
@pytest.mark.parametrize(
    ('damage', 'least'),
    [('lost', 1.0), ('zeros', 1.0), ('noise', 0.75)],
)
def test_typical_damage_of_a_photograph_is_noticed(
    shared_data: Path, damage: str, least: float
) -> None:
    """Noise of 512 bytes has no marker in one of seven cases."""
    random = np.random.default_rng(0)
    files = sorted((shared_data / 'camvid' / 'train').glob('*.jpg'))[::6]
    noticed = 0
    for path in files:
        share = random.uniform(0, 0.95)
        apply = lost(512, share)
        if damage != 'lost':
            apply = overwritten(bytes(512) if damage == 'zeros' else random.bytes(512), share)
        try:
            decode_jpeg(apply(path.read_bytes()), -1)
        except InputError:
            noticed += 1
    assert noticed >= least * len(files)
