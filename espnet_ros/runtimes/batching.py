"""Batches of any count on models whose batch size is fixed."""

from __future__ import annotations

from espnet_ros.runtimes.base import Inference, Runtime
import numpy as np
from numpy.typing import NDArray


def infer_any_count(
    runtime: Runtime, batch: NDArray[np.generic], *, confidence: bool
) -> Inference:
    """
    Segment a batch of any count, in pieces where the model's batch size is fixed.

    The last piece is filled up with black images.

    :param batch: as :meth:`Runtime.infer` takes it
    :return: arrays that are valid until the runtime's next call
    """
    size = runtime.input_spec.shape[0]
    if size is None or size == len(batch):
        return runtime.infer(batch, confidence=confidence)
    labels = np.empty(batch.shape[:3], np.uint8)
    sureness = np.empty(batch.shape[:3], np.uint8) if confidence else None
    for start in range(0, len(batch), size):
        piece = batch[start : start + size]
        count = len(piece)
        if count < size:
            black = np.zeros((size - count, *batch.shape[1:]), batch.dtype)
            piece = np.concatenate((piece, black))
        found = runtime.infer(piece, confidence=confidence)
        labels[start : start + count] = found.labels[:count]
        if sureness is not None and found.confidence is not None:
            sureness[start : start + count] = found.confidence[:count]
    return Inference(labels, sureness)
