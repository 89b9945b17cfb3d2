"""
The way of the Nav2 tutorial "Navigating with Semantic Segmentation".

A float image goes into ONNX Runtime and logits come out; softmax, argmax and confidence are
computed in numpy, mask and overlay in OpenCV. The network is the model file's own, cut out
of its graph, so that both compute the same.
"""

from __future__ import annotations

from time import perf_counter

import cv2
from espnet_ros.exceptions import InferenceError, ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.peers.base import Peer
from espnet_ros.segmentation import StageTimes
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx.utils import Extractor
import onnxruntime as ort

_ALPHA = 0.5


def extract_network(model: ModelFile) -> tuple[onnx.ModelProto, int]:
    """
    Return the network alone, from the normalised float image to logits, and the class axis.

    :raises ModelError: the graph does not begin with a normalisation and end with an argmax
    """
    proto = onnx.load_model_from_string(model.data)
    found = next((node for node in proto.graph.node if node.op_type == 'ArgMax'), None)
    scales = [node for node in proto.graph.node if node.op_type == 'Mul' and 'scale' in node.input]
    constants = {tensor.name for tensor in proto.graph.initializer}
    if found is None or not scales or not {'mean', 'scale'} <= constants:
        raise ModelError(
            f'model {model.origin}: expected a network of this package, found a graph without '
            'its normalisation or argmax; leave it out of --peers'
        )
    axis = next(entry.i for entry in found.attribute if entry.name == 'axis')
    inferred = onnx.shape_inference.infer_shapes(proto)
    network = Extractor(inferred).extract_model([scales[0].output[0]], [found.input[0]])
    return network, axis


class Nav2DemoWay(Peer):
    """
    Segments as the node of the Nav2 tutorial does.

    :param model: a network of this package
    :param size: (height, width) of the network's input
    :param threads: CPU threads; 0 leaves ONNX Runtime's own choice
    :raises ModelError: the network cannot be cut out of the model file
    """

    runtime = 'onnxruntime'

    def __init__(self, model: ModelFile, size: tuple[int, int], threads: int = 0) -> None:
        network, self._axis = extract_network(model)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        wanted = ['CUDAExecutionProvider', 'CPUExecutionProvider']
        providers = [name for name in wanted if name in ort.get_available_providers()]
        self._session = ort.InferenceSession(
            network.SerializeToString(), options, providers=providers
        )
        self.device = self._session.get_providers()[0].removesuffix('ExecutionProvider')
        self._input = self._session.get_inputs()[0].name
        self._size = size
        tensors = {
            t.name: onnx.numpy_helper.to_array(t)
            for t in model.proto.graph.initializer
            if t.name in ('mean', 'scale')
        }
        self._mean_rgb = tensors['mean'].reshape(3)[::-1].astype(np.float32)
        self._std_rgb = (1 / (255 * tensors['scale'].reshape(3)[::-1])).astype(np.float32)
        self._palette_bgr = np.ascontiguousarray(model.info.label_set.palette_rgb()[:, ::-1])

    def segment(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], StageTimes]:
        """Segment an image; see :class:`Peer`. Confidence and overlay are computed too."""
        started = perf_counter()
        batch = self._prepare(image_bgr)
        prepared = perf_counter()
        try:
            logits = self._session.run(None, {self._input: batch})[0]
        except RuntimeError as error:
            raise InferenceError(f'onnxruntime: {error}') from error
        inferred = perf_counter()
        labels = self._finish(np.asarray(logits), image_bgr)
        finished = perf_counter()
        return labels, StageTimes(prepared - started, inferred - prepared, finished - inferred)

    def _prepare(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        image = cv2.resize(image_bgr, (self._size[1], self._size[0]))
        image_rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.float32)
        normalized = (image_rgb - self._mean_rgb) / self._std_rgb / np.float32(255)
        # The published weights want BGR, which is the order that the network is given.
        planes = normalized[..., ::-1].transpose(2, 0, 1)[np.newaxis]
        return np.ascontiguousarray(planes, np.float32)

    def _finish(
        self, logits: NDArray[np.float32], image_bgr: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        shifted = np.exp(logits - logits.max(axis=self._axis, keepdims=True))
        probability = shifted / shifted.sum(axis=self._axis, keepdims=True)
        labels = np.argmax(probability, axis=self._axis)[0].astype(np.uint8)
        confidence = (probability.max(axis=self._axis)[0] * 255).astype(np.uint8)
        size = image_bgr.shape[1], image_bgr.shape[0]
        mask = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        cv2.resize(confidence, size, interpolation=cv2.INTER_NEAREST)
        colors = np.asarray(self._palette_bgr[mask], np.uint8)
        cv2.addWeighted(image_bgr, 1 - _ALPHA, colors, _ALPHA, 0.0)
        return np.asarray(mask, np.uint8)
