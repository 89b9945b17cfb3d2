"""A runtime without a network, for tests and for trying a robot's wiring."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Inference, Runtime
import numpy as np
from numpy.typing import NDArray


class FakeRuntime(Runtime):
    """
    Answers with classes by brightness: black is the first class, white the last.

    The brightness of a pixel is ``(B + 2 G + R) / 4``; the classes share its range in equal
    bands. The confidence is 255 in the middle of a band and falls to 128 at its edges.
    Nothing of the model but its number of classes is used.
    """

    name = 'fake'

    def __init__(self, model: ModelFile, settings: RuntimeSettings) -> None:
        super().__init__(model, settings)
        position = np.arange(256) * len(model.info.label_set.classes) / 256
        self._labels_by_brightness = position.astype(np.uint8)
        distance = np.abs(position % 1 - 0.5)
        self._confidence_by_brightness = np.round(255 * (1 - distance)).astype(np.uint8)

    @property
    def precision(self) -> str:
        """Return fp32, which a stand-in always has."""
        return 'fp32'

    @property
    def device(self) -> str:
        """Return the only device that there is."""
        return 'CPU (stand-in, no network)'

    def _open(self) -> None:
        if self.settings.device.lower() not in ('auto', 'cpu'):
            raise RuntimeUnavailableError(
                f'fake: no device {self.settings.device!r}; expected auto or cpu'
            )
        if self.resizes:
            raise RuntimeUnavailableError('fake: cannot resize; set resize to host')
        if self.settings.precision not in ('auto', 'fp32'):
            raise RuntimeUnavailableError(
                f'fake: no precision {self.settings.precision}; expected auto or fp32'
            )

    def _close(self) -> None:
        pass

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        pixels = np.clip(batch, 0, 255).astype(np.uint16)
        brightness = (pixels[..., 0] + 2 * pixels[..., 1] + pixels[..., 2]) >> 2
        labels = np.take(self._labels_by_brightness, brightness)
        if not confidence:
            return Inference(labels)
        return Inference(labels, np.take(self._confidence_by_brightness, brightness))
