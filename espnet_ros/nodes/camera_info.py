"""Camera geometry for images of another size."""

from __future__ import annotations

from espnet_ros.exceptions import InputError
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


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
    :raises InputError: ``info`` has no size, or is of an image of other proportions
    """
    roi = info.roi
    left, top = (roi.x_offset, roi.y_offset) if roi.width and roi.height else (0, 0)
    width = roi.width if roi.width and roi.height else info.width
    height = roi.height if roi.width and roi.height else info.height
    if not width or not height:
        raise InputError('camera_info: expected a width and height, found 0')
    # Binning that does not divide the size loses a pixel at the edge.
    if abs(width * image_size[0] - height * image_size[1]) > 2 * max(width, height):
        raise InputError(
            f'camera_info: expected the proportions of the image, {image_size[1]}x'
            f'{image_size[0]}, found {width}x{height}'
        )
    x_scale, y_scale = size[1] / width, size[0] / height
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
