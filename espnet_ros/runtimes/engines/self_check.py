"""
Whether an engine sees what the model file's CPU reference saw.

Reduced precision, a driver or a tactic may go wrong in ways that no error tells. So each new
engine labels one image whose labels are known.
"""

from __future__ import annotations

from dataclasses import dataclass
import logging

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ModelError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.check_record import (
    CheckRecord,
    make_check_image,
    make_check_record,
    read_check_record,
)
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.graph import is_quantized
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

LOWEST_AGREEMENT = {'fp32': 0.995, 'fp16': 0.99, 'bf16': 0.98, 'int8': 0.97}
"""Share of pixels that must have the reference's label, by precision; FP32 on a GPU is TF32."""

REFERENCE_RUNTIMES = ('onnxruntime', 'openvino')
"""What computes the reference where the model file has none."""


@dataclass(frozen=True)
class Reference:
    """
    An image whose labels are known.

    :param image_bgr: uint8, (H, W, 3)
    :param labels: uint8, (h, w), of the network's input size
    :param origin: where the labels are from
    """

    image_bgr: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    origin: str


@dataclass(frozen=True)
class SelfCheck:
    """
    What a self-check found.

    :param agreement: share of pixels with the reference's label, 0 to 1
    :param lowest: what it must be
    :param origin: where the reference labels are from
    """

    agreement: float
    lowest: float
    origin: str

    @property
    def is_passed(self) -> bool:
        """Return whether the engine may be used."""
        return self.agreement >= self.lowest

    @property
    def words(self) -> str:
        """Return it in words."""
        return (
            f'{100 * self.agreement:.2f} % of the pixels agree with {self.origin}, '
            f'{100 * self.lowest:g} % are needed'
        )


def check_runtime(runtime: Runtime, precision: str) -> SelfCheck | None:
    """
    Compare an opened runtime's labels with the reference.

    :param precision: that it was asked for
    :return: None where nothing on this machine can make a reference
    :raises InferenceError: the runtime failed
    """
    height, width = runtime.input_spec.shape[1:3]
    size = runtime.model.info.input_size
    reference = find_reference(runtime.model, (height or size[0], width or size[1]))
    if reference is None:
        return None
    image = reference.image_bgr[np.newaxis]
    labels = runtime.infer(image.astype(runtime.input_spec.dtype)).labels[0]
    agreement = float(np.mean(labels == reference.labels))
    return SelfCheck(agreement, LOWEST_AGREEMENT[precision], reference.origin)


def refuse_failed(check: SelfCheck, origin: str) -> None:
    """
    Refuse an engine whose check failed.

    :raises ModelError: with the number
    """
    if not check.is_passed:
        raise ModelError(
            f'engine of {origin}: refused by its self-check: {check.words}; try precision fp32, '
            'and report it with the output of espnet-ros doctor --json (docs/jetson.md)'
        )


def find_reference(model: ModelFile, size: tuple[int, int]) -> Reference | None:
    """
    Return the reference of the model file, or of a CPU runtime here.

    :param size: (height, width) of the image
    """
    record = read_check_record(model)
    factors = [n // base for n, base in zip(size, model.info.input_size, strict=True)]
    is_multiple = all(
        n == base * factor
        for n, base, factor in zip(size, model.info.input_size, factors, strict=True)
    )
    if record is not None and is_multiple:
        # Every pixel many times: reduced bilinearly it is what it was.
        image = make_check_image(record.seed, record.size)
        image = image.repeat(factors[0], axis=0).repeat(factors[1], axis=1)
        return Reference(image, record.labels, 'the labels in the model file')
    image = make_check_image(seed=0, size=size)
    for name in REFERENCE_RUNTIMES:
        try:
            return Reference(image, _labels_by(model, name, image), f'{name} on this CPU')
        except (ModelError, RuntimeUnavailableError) as error:
            logger.debug('no reference labels by %s: %s', name, error)
    return None


def record_check(model: ModelFile, runtime: str) -> CheckRecord:
    """
    Compute the reference with a runtime on the CPU: in fp32, a quantised model in int8.

    :raises RuntimeUnavailableError: that runtime is not on this machine
    :raises ModelError: it does not take the model
    """
    image = make_check_image(seed=0, size=model.info.input_size)
    return make_check_record(0, _labels_by(model, runtime, image))


def _labels_by(model: ModelFile, runtime: str, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # The factory imports the runtimes, and one of them this module.
    from espnet_ros.runtimes.factory import open_runtime  # noqa: PLC0415

    is_resized = image_bgr.shape[:2] != model.info.input_size
    settings = RuntimeSettings(
        runtime=runtime,
        precision='int8' if is_quantized(model) else 'fp32',
        resize='device' if is_resized else 'host',
    )
    with open_runtime(model, settings) as reference:
        batch = image_bgr[np.newaxis].astype(reference.input_spec.dtype)
        return np.array(reference.infer(batch).labels[0], np.uint8)
