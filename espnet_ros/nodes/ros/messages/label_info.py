"""Class names as vision_msgs/LabelInfo, where that package is installed."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

from espnet_ros.labels import LabelSet
from std_msgs.msg import Header


def label_info_types() -> Any | None:
    """Return the module of vision_msgs' message types, or None where it is not installed."""
    return importlib.import_module('vision_msgs.msg') if find_spec('vision_msgs') else None


def make_label_info(types: Any, label_set: LabelSet, threshold: float, header: Header) -> Any:
    """
    Return the message that tells Nav2's segmentation layer what the ids mean.

    The unlabelled id is not listed, which the layer takes for unknown.

    :param threshold: confidence below which pixels are unlabelled, 0 to 1
    :param header: stamp of the change
    """
    return types.LabelInfo(
        header=header,
        class_map=[
            types.VisionClass(class_id=class_id, class_name=name)
            for class_id, name in enumerate(label_set.names)
        ],
        threshold=float(threshold),
    )
