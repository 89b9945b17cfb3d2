"""Camera geometry: whether it is of an image, and for images of another size."""

from __future__ import annotations

from espnet_ros.exceptions import InputError
from espnet_ros.sources import FrameCalibration
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


def described_size(info: CameraInfo) -> tuple[int, int]:
    """
    Return (height, width) of the image that a camera_info describes.

    That is the region of interest, else the full size, after binning; binning that does not
    divide it loses the remainder.
    """
    width, height = _region_size(info)
    return height // max(1, info.binning_y), width // max(1, info.binning_x)


def is_calibrated(info: CameraInfo) -> bool:
    return bool(info.k[0])


def check_camera_info(info: CameraInfo, frame_id: str, image_size: tuple[int, int]) -> None:
    """
    Check that a camera_info is of an image.

    :param frame_id: the image's
    :param image_size: (height, width)
    :raises InputError: it is of another frame or size
    """
    if info.header.frame_id != frame_id:
        raise InputError(
            f'expected the frame of the image, {frame_id!r}, found {info.header.frame_id!r}; '
            'give both the frame_id of their camera'
        )
    _check_size(info, image_size)


def scale_camera_info(
    info: CameraInfo, image_size: tuple[int, int], size: tuple[int, int], header: Header
) -> CameraInfo:
    """
    Return the geometry of an image that was resized.

    Region of interest and binning of the camera go into K and P, so that the result
    describes the resized image alone. Distortion and rectification do not depend on the size
    and stay.

    Masks are resized with aligned pixel centres, as OpenCV does: column u of the image is
    ``(u + 0.5) * scale - 0.5`` of the mask, and so are principal points, which makes the
    geometry exact. image_proc multiplies them by the scale alone, which is a quarter of a
    pixel off at half the size.

    :param info: as the camera published it
    :param image_size: (height, width) of the image that ``info`` belongs to
    :param size: (height, width) of the resized image
    :param header: of the result, used as it is
    :raises InputError: ``info`` is of an image of another size
    """
    _check_size(info, image_size)
    roi = info.roi
    left, top = (roi.x_offset, roi.y_offset) if roi.width and roi.height else (0, 0)
    x_scale = size[1] / (image_size[1] * max(1, info.binning_x))
    y_scale = size[0] / (image_size[0] * max(1, info.binning_y))
    k, p = list(info.k), list(info.p)
    for matrix, columns in ((k, 3), (p, 4)):
        # The last row of both makes the homogeneous coordinate: 1 where calibrated.
        for column in range(columns):
            corner = matrix[2 * columns + column]
            x, y = matrix[column], matrix[columns + column]
            matrix[column] = (x + (0.5 - left) * corner) * x_scale - 0.5 * corner
            matrix[columns + column] = (y + (0.5 - top) * corner) * y_scale - 0.5 * corner
    return CameraInfo(
        header=header,
        height=size[0],
        width=size[1],
        distortion_model=info.distortion_model,
        d=info.d,
        k=k,
        r=info.r,
        p=p,
        binning_x=0,
        binning_y=0,
        roi=RegionOfInterest(do_rectify=roi.do_rectify),
    )


def _region_size(info: CameraInfo) -> tuple[int, int]:
    """Return (width, height) in pixels of the sensor, before binning."""
    roi = info.roi
    return (roi.width, roi.height) if roi.width and roi.height else (info.width, info.height)


def _check_size(info: CameraInfo, image_size: tuple[int, int]) -> None:
    roi = info.roi
    if roi.x_offset + roi.width > info.width or roi.y_offset + roi.height > info.height:
        raise InputError(
            f'expected a region of interest inside {info.width}x{info.height} pixels, found '
            f'{roi.width}x{roi.height} at ({roi.x_offset}, {roi.y_offset}); let the driver give '
            'the size of the whole sensor'
        )
    height, width = described_size(info)
    if (height, width) == image_size:
        return
    found = f'{width}x{height}'
    if (info.width, info.height) != (width, height):
        found += f' (of {info.width}x{info.height}, by roi and binning)'
    raise InputError(
        f'expected the size of the image, {image_size[1]}x{image_size[0]}, found {found}; '
        'calibrate the camera at this size, or let its driver fill roi and binning'
    )


def calibration_message(calibration: FrameCalibration, header: Header) -> CameraInfo:
    """
    Return the message that holds a calibration.

    :param header: is used as it is
    """
    numbers = calibration.calibration
    x_offset, y_offset, width, height = numbers.roi
    return CameraInfo(
        header=header,
        height=numbers.size[0],
        width=numbers.size[1],
        distortion_model=numbers.model,
        d=numbers.d,
        k=numbers.k,
        r=numbers.r,
        p=numbers.p,
        binning_x=numbers.binning[0],
        binning_y=numbers.binning[1],
        roi=RegionOfInterest(
            x_offset=x_offset,
            y_offset=y_offset,
            width=width,
            height=height,
            do_rectify=calibration.do_rectify,
        ),
    )
