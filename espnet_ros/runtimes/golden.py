"""
Whether an engine sees what the model file's CPU reference saw.

Reduced precision, a driver or a tactic may go wrong in ways that no error tells. So each new
engine labels one image whose labels are known.
"""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.golden import make_golden_image, read_golden_output
import numpy as np
from numpy.typing import NDArray

LOWEST_AGREEMENT = {'fp32': 0.995, 'fp16': 0.99, 'bf16': 0.98, 'int8': 0.97}
"""Share of pixels that must have the reference's label, by precision; FP32 on a GPU is TF32."""


@dataclass(frozen=True)
class Reference:
    """
    An image whose labels are known.

    :param image_bgr: uint8, (H, W, 3)
    :param labels: uint8, (h, w), of the network's input size
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
    """

    agreement: float
    lowest: float
    origin: str

    @property
    def is_passed(self) -> bool:
        return self.agreement >= self.lowest

    @property
    def words(self) -> str:
        return (
            f'{100 * self.agreement:.2f} % of the pixels agree with {self.origin}, '
            f'{100 * self.lowest:g} % are needed'
        )

    def refuse_failed(self, origin: str) -> None:
        """
        Refuse an engine whose check failed.

        :raises ModelError: with the number
        """
        if not self.is_passed:
            raise ModelError(
                f'engine of {origin}: refused by its self-check: {self.words}; try precision '
                'fp32, and report it with the output of espnet-ros doctor --json (docs/jetson.md)'
            )


def compare(labels: NDArray[np.uint8], reference: Reference, precision: str) -> SelfCheck:
    """
    Compare labels of a reference's image with the reference.

    :param labels: uint8, (h, w)
    :param precision: that the engine was requested in
    """
    agreement = float(np.mean(labels == reference.labels))
    return SelfCheck(agreement, LOWEST_AGREEMENT[precision], reference.origin)


def recorded_reference(model: ModelFile, size: tuple[int, int]) -> Reference | None:
    """
    Return the reference that lies in the model file, enlarged to a multiple of its size.

    :param size: (height, width) of the image
    :return: None where the file has none, or none of such a size
    """
    golden = read_golden_output(model)
    rows, columns = (n // base for n, base in zip(size, model.info.input_size, strict=True))
    if golden is None or size != (golden.size[0] * rows, golden.size[1] * columns):
        return None
    # Every pixel many times: reduced bilinearly it is what it was.
    image = make_golden_image(golden.seed, golden.size).repeat(rows, axis=0)
    return Reference(image.repeat(columns, axis=1), golden.labels, 'the labels in the model file')
