"""What must be on this machine before anything is started; nothing here touches the network."""

from __future__ import annotations

import os
from pathlib import Path

from espnet_ros.exceptions import ConfigError, InputError

_SECURITY = ('ENABLE', 'STRATEGY', 'KEYSTORE', 'ENCLAVE_OVERRIDE')


def check_executable(package: str, executable: str) -> None:
    """
    Look for a program of a ROS package where ``ros2 launch`` will look for it.

    :raises ConfigError: it is not there
    """
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    if not any(os.access(Path(p, 'lib', package, executable), os.X_OK) for p in prefixes):
        raise ConfigError(
            f'{package}: not installed, as no folder of AMENT_PREFIX_PATH has '
            f'lib/{package}/{executable}; install ros-$ROS_DISTRO-{package.replace("_", "-")}, or '
            'source the workspace that has it'
        )


def check_enclave(enclave: str) -> None:
    """
    Look for the keys of an enclave of SROS 2, where nothing may run without them.

    :param enclave: as ``--enclave`` takes it; empty for none
    :raises ConfigError: it has no keys
    """
    variables = {name: os.environ.get(f'ROS_SECURITY_{name}', '') for name in _SECURITY}
    if (variables['ENABLE'], variables['STRATEGY']) != ('true', 'Enforce'):
        return
    enclave = variables['ENCLAVE_OVERRIDE'] or enclave or '/'
    keystore = variables['KEYSTORE']
    permissions = Path(keystore, 'enclaves', enclave.lstrip('/'), 'permissions.p7s')
    if not (keystore and permissions.is_file()):
        raise ConfigError(
            f'enclave: expected keys of {enclave} in ROS_SECURITY_KEYSTORE '
            f'({keystore or "not set"}), as ROS_SECURITY_STRATEGY is Enforce, found none; use '
            'enclave:=/espnet_ros, or the name of yours, and see docs/security.md'
        )


def check_model(name_or_path: str) -> None:
    """
    Look for a model.

    :raises ModelError: there is no such model; the message says how to get it
    :raises ImportError: this Python lacks what models are found with; the node's own may differ
    """
    from espnet_ros.model_file.store import find_model  # noqa: PLC0415  (onnx may be missing)

    find_model(name_or_path)


def check_source(spec: str) -> None:
    """
    Look for what a camera source is to play.

    :raises InputError: it is not there
    :raises ImportError: this Python lacks OpenCV
    """
    from espnet_ros.sources.opening import split_topic, SYNTHETIC  # noqa: PLC0415  (OpenCV)
    from espnet_ros.sources.webcam import DEVICE_FOLDER, webcam_index  # noqa: PLC0415

    if spec == SYNTHETIC:
        return
    index = webcam_index(spec)
    if index is not None:
        path = DEVICE_FOLDER / f'video{index}'
        found = ', '.join(sorted(str(p) for p in DEVICE_FOLDER.glob('video*'))) or 'none'
        problem = f'no webcam {path}; cameras found: {found}'
    else:
        path, _ = split_topic(spec)
        problem = (
            f'{path}: no such file or folder; expected a video, an image, a folder of images, a '
            f'bag, the number of a webcam, or "{SYNTHETIC}"'
        )
    if not path.exists():
        raise InputError(f'source: {problem}')
