"""From a float model file to one with INT8 layers."""

from __future__ import annotations

from collections.abc import Sequence

from espnet_ros.export.golden import with_golden_labels
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.quantization import quantize
import numpy as np
from numpy.typing import NDArray


def quantize_model(model: ModelFile, images_bgr: Sequence[NDArray[np.uint8]]) -> ModelFile:
    """
    Return a model file with INT8 layers and golden labels of its own, computed in INT8.

    An engine is checked for what this file says, not for what INT8 did to the labels.

    :param images_bgr: as :func:`espnet_ros.model_file.graph.quantization.quantize` takes them
    :raises EspnetError: as there
    """
    return with_golden_labels(quantize(model, images_bgr))
