"""The format of a CompressedImage, as publishers have written it over the years."""

from __future__ import annotations

from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_formats.compressed_format import parse_format
import pytest


@pytest.mark.parametrize(
    ('text', 'original', 'stored'),
    [
        ('', '', ''),
        ('jpeg', '', ''),
        ('png', '', ''),
        ('h264', '', ''),
        ('bgr8; jpeg compressed bgr8', 'bgr8', 'bgr8'),
        ('rgb8; jpeg compressed bgr8', 'rgb8', 'bgr8'),
        ('BGR8; JPEG compressed BGR8', 'bgr8', 'bgr8'),
        ('mono8; jpeg compressed ', 'mono8', ''),
        ('mono16; png compressed', 'mono16', ''),
        (' rgb8 ;  tiff   compressed  ', 'rgb8', ''),
        ('bayer_rggb8; jpeg compressed bayer_rggb8', 'bayer_rggb8', 'bayer_rggb8'),
        ('rgb8; compressed bgr8', 'rgb8', 'bgr8'),
        ('rgb8; jpeg', 'rgb8', ''),
        (';', '', ''),
        ('; compressed', '', ''),
    ],
)
def test_original_and_stored_encoding_are_told_apart(
    text: str, original: str, stored: str
) -> None:
    assert parse_format(text) == (original, stored)


@pytest.mark.parametrize(
    ('text', 'mosaic'),
    [
        ('bayer_rggb8; png compressed ', 'bayer_rggb8'),  # every version
        ('bayer_gbrg16; png compressed ', 'bayer_gbrg16'),
        ('bayer_rggb8; tiff compressed ', 'bayer_rggb8'),
        ('bayer_rggb8; jpeg compressed ', 'bayer_rggb8'),  # ROS 1
        ('bayer_rggb8; jpeg compressed bayer_rggb8', 'bayer_rggb8'),  # jpeg_compress_bayer
        ('bayer_rggb8; jpeg compressed mono8', ''),  # ROS 2: gray already
        ('mono8; jpeg compressed mono8', ''),
        ('jpeg', ''),
    ],
)
def test_a_mosaic_is_one_unless_it_was_converted(text: str, mosaic: str) -> None:
    assert parse_format(text).mosaic == mosaic


@pytest.mark.parametrize(
    'text', ['16UC1; compressedDepth png', '32FC1; compressedDepth', '16uc1; compresseddepth rvl']
)
def test_a_depth_image_is_refused_as_such(text: str) -> None:
    with pytest.raises(InputError, match='expected a picture, found a depth image'):
        parse_format(text)
