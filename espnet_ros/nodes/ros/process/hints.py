"""What to do about errors of ROS, which say what is wrong and no more."""

from __future__ import annotations

import os


def what_to_do(error: BaseException) -> str:
    """Return the end of a line that begins with the error; empty where nothing is known."""
    if 'logging directory' in str(error):  # as in a service without HOME
        return '; set HOME or ROS_LOG_DIR'
    # rclpy's errors of the middleware are RuntimeErrors.
    if isinstance(error, RuntimeError) and os.environ.get('ROS_SECURITY_ENABLE') == 'true':
        keystore = os.environ.get('ROS_SECURITY_KEYSTORE') or 'not set'
        return (
            f'; SROS 2 is on (ROS_SECURITY_ENABLE): ROS_SECURITY_KEYSTORE ({keystore}) must have '
            'keys of the enclave that --ros-args --enclave names, and its policy must allow this'
        )
    return ''
