"""
Whether an engine sees what the model file's CPU reference saw.

Reduced precision, a driver or a tactic may go wrong in ways that no error tells. So each new
engine labels one image whose labels are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
import numpy as np

logger = logging.getLogger(__name__)

LOWEST_AGREEMENT = {'fp32': 0.995, 'fp16': 0.99, 'bf16': 0.98, 'int8': 0.97}
"""Share of pixels that must have the reference's label, by precision; FP32 on a GPU is TF32."""

REFERENCE_RUNTIMES = ('onnxruntime', 'openvino')
"""What computes the reference where the model file has none."""


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
    found = find_reference(runtime.model)
    if found is None:
        return None
    record, origin = found
    image = make_check_image(record.seed, record.size)[np.newaxis]
    labels = runtime.infer(image.astype(runtime.input_spec.dtype)).labels[0]
    agreement = float(np.mean(labels == record.labels))
    return SelfCheck(agreement, LOWEST_AGREEMENT[precision], origin)


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


def find_reference(model: ModelFile) -> tuple[CheckRecord, str] | None:
    """Return the reference and where it is from: the model file, else a CPU runtime here."""
    record = read_check_record(model)
    if record is not None:
        return record, 'the labels in the model file'
    for name in REFERENCE_RUNTIMES:
        try:
            return record_check(model, name), f'{name} on this CPU'
        except (ModelError, RuntimeUnavailableError) as error:
            logger.debug('no reference labels by %s: %s', name, error)
    return None


def record_check(model: ModelFile, runtime: str) -> CheckRecord:
    """
    Compute the reference with a runtime on the CPU, in fp32.

    :raises RuntimeUnavailableError: that runtime is not on this machine
    :raises ModelError: it does not take the model
    """
    # The factory imports the runtimes, and one of them this module.
    from espnet_ros.runtimes.factory import open_runtime  # noqa: PLC0415

    settings = replace(RuntimeSettings(), runtime=runtime, precision='fp32')
    with open_runtime(model, settings) as reference:
        image = make_check_image(seed=0, size=model.info.input_size)[np.newaxis]
        labels = reference.infer(image.astype(reference.input_spec.dtype)).labels[0]
        return make_check_record(0, labels)
