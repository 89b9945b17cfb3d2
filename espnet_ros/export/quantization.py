"""
INT8 as part of the model file: scales measured on images, on any CPU.

Explicit quantisation (QuantizeLinear and DequantizeLinear in the graph) is what every TensorRT
takes; its own calibrators, which need the board's GPU, are gone in 11. TensorRT wants symmetric
scales and biases in float, which are not ONNX Runtime's defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib import import_module
from io import StringIO
import logging
from pathlib import Path
import tempfile
from typing import Any

from espnet_ros.exceptions import InputError, ModelError, RuntimeUnavailableError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.export.sensitivity import relieve
from espnet_ros.model_file.file_format import IMAGE, ModelFile
import numpy as np
from numpy.typing import NDArray
import onnx

logger = logging.getLogger(__name__)

_QUANTIZED = ('Conv', 'ConvTranspose')
_OPTIONS = {
    'ActivationSymmetric': True,
    'WeightSymmetric': True,
    'QuantizeBias': False,
    'AddQDQPairToWeight': True,
    'DedicatedQDQPair': True,
    # What layers give stays float: sums of branches in INT8 cost ESPNet a tenth of its labels.
    'OpTypesToExcludeOutputQuantization': list(_QUANTIZED),
}
SUFFIX = '_int8'
_CHECKED = 4


def quantize_model(model: ModelFile, images_bgr: Sequence[NDArray[np.uint8]]) -> ModelFile:
    """
    Return a model file with INT8 convolutions.

    The first and the last layer stay float, as do those that INT8 harms most.
    Weights have one scale a channel, activations one scale a tensor, which covers 99.999 % of
    the values on the images (by entropy or by the largest value the labels were worse).

    :param images_bgr: uint8, (H, W, 3) each, of the model's input size; some dozens that show
        what the robot will see
    :return: with golden labels of its own, computed in INT8: an engine is checked for what this
        file says, not for what INT8 did to the labels
    :raises InputError: there is no image
    :raises ModelError: the model is quantised already, or cannot be
    :raises RuntimeUnavailableError: the tools, part of onnxruntime, are not installed
    """
    if not images_bgr:
        raise InputError('calibration: expected some images, found none')
    tools = _load_tools()
    if model.is_quantized:
        raise ModelError(f'model file {model.origin}: it is quantised already')
    quantized = _quantize_all(tools, onnx.load_model_from_string(model.data), images_bgr)
    spread = images_bgr[:: max(len(images_bgr) // _CHECKED, 1)][:_CHECKED]
    relieved = relieve(quantized, model.proto, spread)
    logger.info(
        'int8: %.2f %% of the pixels are labelled as in fp32; %d of %d layers stay float',
        100 * relieved.agreement,
        relieved.float_layers,
        relieved.layers,
    )
    onnx.checker.check_model(relieved.proto)
    info = replace(model.info, name=model.info.name + SUFFIX, self_check='')
    return with_golden_labels(ModelFile.create(info, relieved.proto))


def _quantize_all(
    tools: Any, proto: onnx.ModelProto, images_bgr: Sequence[NDArray[np.uint8]]
) -> onnx.ModelProto:
    """Return the network with every layer but the ends in INT8; ``proto`` is used up."""
    for index, node in enumerate(proto.graph.node):
        node.name = node.name or f'{node.op_type}_{index}'
    with tempfile.TemporaryDirectory(prefix='espnet_ros-') as folder, _quiet():
        prepared, target = Path(folder) / 'prepared.onnx', Path(folder) / 'quantized.onnx'
        tools.shape_inference.quant_pre_process(
            proto, str(prepared), skip_symbolic_shape=True, skip_onnx_shape=True
        )
        network = onnx.load(prepared)
        tools.quantize_static(
            str(prepared),
            str(target),
            _reader(tools, images_bgr),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=list(_QUANTIZED),
            nodes_to_exclude=list(ends_of(network.graph)),
            per_channel=True,
            activation_type=tools.QuantType.QInt8,
            weight_type=tools.QuantType.QInt8,
            calibrate_method=tools.CalibrationMethod.Percentile,
            extra_options=_OPTIONS,
        )
        return onnx.load(target)


def ends_of(graph: onnx.GraphProto) -> set[str]:
    """Return the layers that stay float: those that see the image, and that give the logits."""
    producers = {name: node for node in graph.node for name in node.output}
    image_like = {IMAGE}
    found = set()
    for node in graph.node:
        if not image_like & set(node.input):
            continue
        if node.op_type in _QUANTIZED:
            found.add(node.name)
        else:
            image_like |= set(node.output)
    for node in graph.node:
        if node.op_type in ('ArgMax', 'Softmax'):
            last = producers.get(node.input[0])
            while last is not None and last.op_type not in _QUANTIZED:
                last = producers.get(last.input[0])
            if last is not None:
                found.add(last.name)
    return found


def _reader(tools: Any, images_bgr: Sequence[NDArray[np.uint8]]) -> Any:
    batches = ({IMAGE: image[np.newaxis]} for image in images_bgr)

    class Reader(tools.CalibrationDataReader):  # type: ignore[misc]
        """Gives a batch, and None after the last."""

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            return next(batches, None)

    return Reader()


def _load_tools() -> Any:
    try:
        import_module('onnxruntime.quantization.shape_inference')
        return import_module('onnxruntime.quantization')
    except ImportError as error:
        raise RuntimeUnavailableError(
            'quantising needs onnxruntime: pip install onnxruntime; any computer will do'
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' notes, which go to the root logger and to standard output, from the user."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        root.setLevel(level)
