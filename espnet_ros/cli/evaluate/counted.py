"""What was counted, and what ran meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.evaluation.confusion import ConfusionMatrix
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Runtime
from typing_extensions import Self


@dataclass(frozen=True, eq=False)
class Counted:
    """
    The pixels of a data set, and what found their classes.

    :param matrix: the pixels
    :param images: how many images they are of
    :param model: as it was run
    :param runtime: its name
    :param precision: its arithmetic
    :param device: in words
    """

    matrix: ConfusionMatrix
    images: int
    model: ModelFile
    runtime: str
    precision: str
    device: str

    @classmethod
    def on(cls, runtime: Runtime, matrix: ConfusionMatrix, images: int) -> Self:
        """Build it while the runtime is open: closed, it does not tell how it ran."""
        return cls(matrix, images, runtime.model, runtime.name, runtime.precision, runtime.device)
