"""The labels by which an engine is checked on the robot, written into the model file."""

from __future__ import annotations

import logging

from espnet_ros.exceptions import EspnetError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.golden import GoldenOutput, make_golden_image, with_golden_output
from espnet_ros.runtimes.factory import label_on_cpu

logger = logging.getLogger(__name__)

REFERENCES = ('onnxruntime', 'openvino', 'torch')


def with_golden_labels(model: ModelFile) -> ModelFile:
    """
    Return the model file with the labels of its golden image.

    They are computed by a runtime on this CPU: in fp32, those of a quantised model in int8. Where
    no runtime is here the model stays as it is: the robot then computes them itself.
    """
    image = make_golden_image(seed=0, size=model.info.input_size)
    for name in REFERENCES:
        try:
            golden = GoldenOutput(0, label_on_cpu(model, name, image))
        except EspnetError as error:
            logger.debug('no golden labels by %s: %s', name, error)
        else:
            return with_golden_output(model, golden)
    logger.info(
        'model %s: no runtime of this machine can compute its golden labels', model.info.name
    )
    return model
