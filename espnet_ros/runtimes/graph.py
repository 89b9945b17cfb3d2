"""The graph that a runtime computes: the model file, with what was asked for written into it."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.image_resize import with_image_resize
from espnet_ros.model_file.subpixel_tail import with_subpixel_tail
import onnx

EXPORTED = 'exported'
SUBPIXEL = 'subpixel'

FASTEST_TAIL = {
    'openvino': SUBPIXEL,  # 1.4 times the frames a second in bf16, 1.9 times with confidence
    'onnxruntime': SUBPIXEL,  # as fast as the other, with less memory
    'tensorrt': SUBPIXEL,  # not measured yet; its argmax is a TopK, slow over large images
    'torch': EXPORTED,  # runs the network as it was trained, and has no other
    'fake': EXPORTED,
}
"""What ``tail: auto`` takes on each runtime; docs/benchmark.md says how it is measured."""


def chosen_tail(settings: RuntimeSettings, runtime: str) -> str:
    """Return how the tail is written on a runtime: exported or subpixel."""
    return FASTEST_TAIL[runtime] if settings.tail == 'auto' else settings.tail


def is_quantized(model: ModelFile) -> bool:
    """Return whether the network carries the scales that INT8 needs."""
    proto = onnx.load_model_from_string(model.data)
    return any(node.op_type == 'QuantizeLinear' for node in proto.graph.node)


def computed_graph(model: ModelFile, settings: RuntimeSettings, runtime: str) -> ModelFile:
    """
    Return the model as a runtime computes it: its tail, and the resize where it is asked for.

    :param settings: of which ``resize`` and ``tail`` count
    :param runtime: name of the runtime
    :raises ModelError: the tail that was asked for by name does not fit the model
    """
    graph = model
    if chosen_tail(settings, runtime) == SUBPIXEL:
        graph = with_subpixel_tail(model)
        if graph is model and settings.tail == SUBPIXEL:
            raise ModelError(
                f'model file {model.origin}: expected a graph that ends in a 2x2 transposed '
                'convolution and an argmax, found another end; set tail to auto or exported'
            )
    return with_image_resize(graph) if settings.resize == 'device' else graph
