"""The scores of one tile, by whatever runtime computes the network."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.file_format import CONFIDENCE, LABELS
from espnet_ros.model_file.graph.editing import drop_output, replace_ends
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.factory import open_runtime
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, TensorProto

_SCORING = ('openvino', 'onnxruntime', 'fake')
"""Runtimes that give whatever the graph computes."""


def with_scores(model: ModelFile) -> ModelFile:
    """
    Return the model with probabilities in place of labels: float32, (N, classes, H, W).

    :raises ModelError: its labels do not come from scores
    """

    def rewrite(proto: onnx.ModelProto) -> None:
        graph = proto.graph
        end = _find_argmax(graph, model.origin)
        axis = next((a.i for a in end.attribute if a.name == 'axis'), 0) % 4
        if any(value.name == CONFIDENCE for value in graph.output):
            drop_output(proto, CONFIDENCE)
        nodes = [helper.make_node('Softmax', [end.input[0]], ['all_scores'], axis=axis)]
        order = [0, axis, *(i for i in (1, 2, 3) if i != axis)]
        nodes.append(helper.make_node('Transpose', ['all_scores'], [LABELS], perm=order))
        replace_ends(graph, nodes)
        del graph.output[:]
        graph.output.append(
            helper.make_tensor_value_info(
                LABELS, TensorProto.FLOAT, ['batch', 'classes', 'height', 'width']
            )
        )

    return model.rewritten(rewrite)


def _find_argmax(graph: onnx.GraphProto, origin: str) -> onnx.NodeProto:
    makers = {name: node for node in graph.node for name in node.output}
    name = LABELS
    while name in makers:
        node: onnx.NodeProto = makers[name]
        if node.op_type == 'ArgMax':
            return node
        name = node.input[0]
    raise ModelError(
        f'model file {origin}: expected labels that are the highest of scores (ArgMax), found '
        'none; tiles cannot be blended without scores'
    )


class TileScorer:
    """
    Scores tiles of one size, at the picture's own resolution.

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
        self.runtime.close()
