"""Models that give the scores of all classes, by which overlapping tiles are blended."""

from __future__ import annotations

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.file_format import CONFIDENCE, LABELS
from espnet_ros.model_file.graph.pruning import drop_output, replace_ends
import onnx
from onnx import helper, TensorProto


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
