"""The labels by which an engine is checked on the robot, written into the model file."""

from __future__ import annotations

import logging

from espnet_ros.exceptions import EspnetError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.check_record import with_check_record
from espnet_ros.runtimes.engines.self_check import record_check

logger = logging.getLogger(__name__)

REFERENCES = ('onnxruntime', 'openvino', 'torch')


def with_reference_labels(model: ModelFile) -> ModelFile:
    """
    Return the model file with the labels of its check image, by a runtime on this CPU in fp32.

    Where no runtime is here the model stays as it is: the robot then computes them itself.
    """
    for name in REFERENCES:
        try:
            return with_check_record(model, record_check(model, name))
        except EspnetError as error:
            logger.debug('no reference labels by %s: %s', name, error)
    logger.info('model %s: no runtime is here to compute its reference labels', model.info.name)
    return model
