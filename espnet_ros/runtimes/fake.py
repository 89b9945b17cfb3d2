"""A runtime without a network: for tests, for a robot's wiring, and as a stand-in for a device."""

from __future__ import annotations

import time

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Inference, Runtime, Workload
import numpy as np
from numpy.typing import NDArray

_BAND_ROWS = 8
"""Rows that share the labels of their first one while the runtime stands in for a device."""


class FakeRuntime(Runtime):
    """
    Answers with classes by brightness: black is the first class, white the last.

    The brightness of a pixel is ``(B + 2 G + R) / 4``; the classes share its range in equal
    bands. The confidence is 255 in the middle of a band and falls to 128 at its edges.
    Nothing of the model but its number of classes is used.

    With ``fake.latency_ms`` it stands in for a device: each call takes that long and sleeps for
    nearly all of it. So that its own work is less than what a device's driver takes, brightness
    is G alone then, and that of every eighth row.
    """

    name = 'fake'

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._precision = 'fp32'
        position = np.arange(256) * len(model.info.label_set.classes) / 256
        self._labels_by_brightness = position.astype(np.uint8)
        distance = np.abs(position % 1 - 0.5)
        self._confidence_by_brightness = np.round(255 * (1 - distance)).astype(np.uint8)
        self._latency_s = settings.fake.latency_ms * 1e-3
        self._rough: dict[str, NDArray[np.uint8]] = {}

    @property
    def device(self) -> str:
        if self._latency_s:
            return f'stand-in that takes {self.settings.fake.latency_ms:g} ms, no network'
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
        self._rough.clear()

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        if self._latency_s:
            return self._infer_as_device(batch, confidence)
        pixels = np.clip(batch, 0, 255).astype(np.uint16)
        brightness = (pixels[..., 0] + 2 * pixels[..., 1] + pixels[..., 2]) >> 2
        labels = np.take(self._labels_by_brightness, brightness)
        if not confidence:
            return Inference(labels)
        return Inference(labels, np.take(self._confidence_by_brightness, brightness))

    def _infer_as_device(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        """Return rough labels after the time that a device would take, own work included."""
        ready_s = time.perf_counter() + self._latency_s
        brightness = batch[:, ::_BAND_ROWS, :, 1].astype(np.intp)
        shape = batch.shape[:3]
        inference = Inference(
            self._spread('labels', self._labels_by_brightness, brightness, shape),
            self._spread('confidence', self._confidence_by_brightness, brightness, shape)
            if confidence
            else None,
        )
        time.sleep(max(0.0, ready_s - time.perf_counter()))
        return inference

    def _spread(
        self,
        name: str,
        table: NDArray[np.uint8],
        brightness: NDArray[np.intp],
        shape: tuple[int, ...],
    ) -> NDArray[np.uint8]:
        """Return what a table says of some rows, for all rows; valid until the next call."""
        values = self._rough.get(name)
        if values is None or values.shape != shape:
            values = self._rough[name] = np.empty(shape, np.uint8)
        rows = np.take(table, brightness, mode='clip')
        for row in range(_BAND_ROWS):
            part = values[:, row::_BAND_ROWS]
            np.copyto(part, rows[:, : part.shape[1]])
        return values
