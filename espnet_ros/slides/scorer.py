"""The scores of one tile, by whatever runtime computes the network."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.slides.score_graph import with_scores
import numpy as np
from numpy.typing import NDArray

_SCORING = ('openvino', 'onnxruntime', 'fake')
"""Runtimes that give whatever the graph computes."""


class TileScorer:
    """
    Scores tiles of one size, at the picture's own resolution.

    :param model: the model
    :param settings: how it is run; ``auto`` takes the first of openvino and onnxruntime
    :param tile: height and width of tiles
    :raises ConfigError: the model takes no such size, or the runtime gives no scores
    :raises ModelError: its labels do not come from scores
    """

    def __init__(self, model: ModelFile, settings: RuntimeSettings, tile: int) -> None:
        if settings.runtime not in ('auto', *_SCORING):
            raise ConfigError(
                f'--tile: expected --runtime auto, openvino or onnxruntime, which give scores, '
                f'found {settings.runtime}'
            )
        sized = model.with_input_size((tile, tile))
        self._classes = len(model.info.label_set.classes)
        is_fake = settings.runtime == 'fake'
        self.runtime: Runtime = open_runtime(sized if is_fake else with_scores(sized), settings)
        self.runtime.open()

    def score(self, tile_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """
        Return the probability of every class.

        :param tile_bgr: uint8, (tile, tile, 3)
        :return: float32, (classes, tile, tile); the caller's
        :raises InferenceError: the runtime failed
        """
        batch = np.ascontiguousarray(tile_bgr[None]).astype(self.runtime.input_spec.dtype)
        found: NDArray[np.generic] = self.runtime.infer(batch).labels
        if found.ndim == 4:
            return np.array(found[0], np.float32)
        ids = np.arange(self._classes)[:, None, None]  # a stand-in knows no scores
        hard: NDArray[np.float32] = (found == ids).astype(np.float32)
        return hard

    def close(self) -> None:
        """Close the runtime."""
        self.runtime.close()
