"""A calibration as sensor_msgs/CameraInfo."""

from __future__ import annotations

from espnet_ros.sources import FrameCalibration
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


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
