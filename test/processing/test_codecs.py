"""Images to and from PNG and JPEG."""

from __future__ import annotations

import errno
import io
import os

import cv2
from espnet_ros.exceptions import InputError, OutputError
from espnet_ros.processing.codecs import (
    decode_image,
    decode_unchanged,
    encode_jpeg,
    encode_png,
    write_image,
)
import numpy as np
from pictures import at_share, encoded, textured, TURNED_HALF, with_orientation
import pytest


def gradient(height: int = 48, width: int = 64) -> np.ndarray:
    """Return a smooth image of three different channels."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 4, columns * 3, rows + columns], axis=2).astype(np.uint8)


def test_png_keeps_every_pixel_of_images_and_masks():
    image, mask = gradient(), gradient()[..., 0]
    np.testing.assert_array_equal(decode_image(encode_png(image)), image)
    np.testing.assert_array_equal(decode_image(encode_png(mask))[..., 1], mask)


def test_jpeg_is_close_to_the_image_and_keeps_the_channel_order():
    difference = abs(decode_image(encode_jpeg(gradient())).astype(int) - gradient())
    assert difference.mean() < 3


def test_a_lower_quality_takes_fewer_bytes():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert len(encode_jpeg(noise, quality=30)) < len(encode_jpeg(noise, quality=95))


def test_images_of_one_pixel_are_coded():
    pixel = np.full((1, 1, 3), 9, np.uint8)
    for encode in (encode_png, encode_jpeg):
        assert decode_image(encode(pixel)).shape == (1, 1, 3)


@pytest.mark.parametrize('array', [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 7), np.uint8)])
def test_what_is_no_image_cannot_be_encoded(array):
    for encode in (encode_png, encode_jpeg):
        with pytest.raises(OutputError, match='cannot encode an array of shape'):
            encode(array)


@pytest.mark.parametrize('data', [b'', b'nonsense', b'\xff\xd8\xff\xe0\xff\xda\xff\xd9'])
def test_what_is_no_image_cannot_be_decoded(data, capfd):
    with pytest.raises(InputError):
        decode_image(data)


@pytest.mark.parametrize('encode', [encode_png, encode_jpeg])
@pytest.mark.parametrize('share', [0.1, 0.5, 0.9, 0.99])
def test_cut_off_images_are_refused(encode, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encode(noise)
    with pytest.raises(InputError, match='cut off'):
        decode_image(data[: int(len(data) * share)])


def test_padding_after_the_end_is_ignored():
    """Some cameras send buffers of a fixed size."""
    data = encode_jpeg(gradient()) + bytes(1000)
    assert decode_image(data).shape == (48, 64, 3)


def test_a_thumbnail_does_not_stand_for_the_whole_image():
    data = encode_jpeg(gradient())
    thumbnail = encode_jpeg(gradient(8, 8))
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = data[:2] + segment + data[2:]
    assert decode_image(whole).shape == (48, 64, 3)
    with pytest.raises(InputError, match='cut off'):
        decode_image(whole[:-200])


def test_gray_and_deep_files_become_three_bytes_a_pixel():
    gray = gradient()[..., 0]
    deep = (gray.astype(np.uint16) * 257)[..., np.newaxis].repeat(4, axis=2)
    for array in (gray, deep):
        data = cv2.imencode('.png', array)[1].tobytes()
        decoded = decode_image(data)
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, gray[..., np.newaxis].repeat(3, axis=2))


def test_a_file_is_turned_as_its_orientation_says_and_a_stored_image_is_not():
    upright = encode_jpeg(textured())
    turned = with_orientation(upright, TURNED_HALF)
    np.testing.assert_array_equal(decode_image(turned), decode_image(upright)[::-1, ::-1])
    np.testing.assert_array_equal(decode_unchanged(turned), decode_image(upright))


@pytest.mark.parametrize('suffix', ['.png', '.tiff'])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_stored_pixels_keep_depth_and_channels(suffix, dtype, channels):
    shape = (8, 12) if channels == 1 else (8, 12, channels)
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype)
    stored = decode_unchanged(encoded(suffix, pixels))
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, pixels)


@pytest.mark.parametrize('decode', [decode_image, decode_unchanged])
@pytest.mark.parametrize('encode', [encode_jpeg, encode_png])
def test_damaged_images_are_refused(decode, encode, capfd):
    data = encode(textured())
    at = at_share(data, 0.5) if encode is encode_jpeg else len(data) // 2
    for broken in (data[:at] + bytes(200) + data[at + 200 :], data[:at] + data[at + 400 :]):
        with pytest.raises(InputError):
            decode(broken)


@pytest.mark.parametrize('name', ['a.png', 'a.PNG', 'a.jpg', 'a.jpeg'])
def test_the_suffix_says_the_format(tmp_path, name):
    write_image(tmp_path / name, gradient())
    assert cv2.imread(str(tmp_path / name)).shape == (48, 64, 3)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(OutputError, match=r'a\.bmp: expected a file name that ends with \.png'):
        write_image(tmp_path / 'a.bmp', gradient())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=r'nowhere/a\.png: cannot be written \(No such file'):
        write_image(tmp_path / 'nowhere' / 'a.png', gradient())


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch):
    target = tmp_path / 'a.png'
    write_image(target, gradient())
    before = target.read_bytes()

    class FullDisk(io.FileIO):
        def write(self, data: bytes) -> int:
            super().write(data[:10])
            raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fdopen', FullDisk)
    with pytest.raises(OutputError, match='No space left on device'):
        write_image(target, gradient()[::-1])
    assert target.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.png']


def test_a_small_file_of_a_giant_image_is_refused_before_it_fills_the_memory() -> None:
    data = bytearray(encode_png(np.zeros((4, 4), np.uint8)))
    data[16:24] = (30000).to_bytes(4, 'big') * 2
    with pytest.raises(InputError, match='up to 134 million pixels, found 30000x30000'):
        decode_image(bytes(data))
