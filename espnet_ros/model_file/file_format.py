"""
What a model file holds, how it is read, and what is refused.

Inputs and outputs of the graph:

- ``image``: uint8, (N, H, W, 3), BGR;
- ``labels``: uint8, (N, H, W), class ids;
- ``confidence``: uint8, (N, H, W), the winning class's softmax probability times 255.

Everything else a user needs to know lies in the file's metadata under ``espnet_ros.*``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
import hashlib
from pathlib import Path

from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.model_file.model_info import ModelInfo, PREFIX
import onnx
from onnx.external_data_helper import load_external_data_for_model

IMAGE = 'image'
LABELS = 'labels'
CONFIDENCE = 'confidence'

Rewrite = Callable[[onnx.ModelProto], None]
"""Changes a graph in place, as the modules of :mod:`espnet_ros.model_file.graph` do."""


@dataclass(frozen=True, eq=False)
class ModelFile:
    """
    A model file in memory, parsed once.

    :param proto: the parsed ONNX model; others hold it too, so it is never changed
    :param sha256: sha256 of the file as it lay on disk
    :param path: where it lay, or None
    """

    info: ModelInfo
    proto: onnx.ModelProto
    sha256: str
    path: Path | None = None

    @classmethod
    def create(cls, info: ModelInfo, proto: onnx.ModelProto) -> ModelFile:
        """Return a model file of no path; ``info`` is written into ``proto``."""
        onnx.helper.set_model_props(proto, info.to_metadata())
        return cls(info, proto, hashlib.sha256(proto.SerializeToString()).hexdigest())

    @property
    def origin(self) -> str:
        """Return the path, or the model name where there is none, for messages."""
        return str(self.path or self.info.name)

    @property
    def data(self) -> bytes:
        return bytes(self.proto.SerializeToString())

    @cached_property
    def is_quantized(self) -> bool:
        """Return whether the network carries the scales that INT8 needs."""
        return any(node.op_type == 'QuantizeLinear' for node in self.proto.graph.node)

    @property
    def image_dtype(self) -> str:
        """Return the numpy name of the type of ``image``: uint8, or float32."""
        kind = self.proto.graph.input[0].type.tensor_type.elem_type
        return str(onnx.helper.tensor_dtype_to_np_dtype(kind))

    @property
    def image_shape(self) -> tuple[int | None, ...]:
        """Return the shape of ``image``; None where any size goes."""
        dims = self.proto.graph.input[0].type.tensor_type.shape.dim
        return tuple(d.dim_value if d.HasField('dim_value') else None for d in dims)

    def rewritten(self, *rewrites: Rewrite) -> ModelFile:
        """Return the model with its graph rewritten, in order; this one stays as it is."""
        if not rewrites:
            return self
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        for rewrite in rewrites:
            rewrite(proto)
        return replace(self, proto=proto)

    def with_float_image(self) -> ModelFile:
        """
        Return the same model with ``image`` as float32 instead of uint8.

        The graph starts with a cast to float32, so only the declared input type changes.
        It serves the authors' pre-processing, which resizes float values.
        """

        def declare(proto: onnx.ModelProto) -> None:
            proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT

        return self.rewritten(declare)

    def with_input_size(self, size: tuple[int, int]) -> ModelFile:
        """
        Return the same network for images of another size; the rest of the file stays.

        The labels of its self-check are of the old size, so they are left behind.

        :raises ConfigError: no multiples of what the network halves, or its size is fixed
        """
        if size == self.info.input_size:
            return self
        multiple = self.info.size_multiple
        if any(length < multiple or length % multiple for length in size):
            raise ConfigError(
                f'input_size: expected [height, width] in multiples of {multiple} for '
                f'{self.info.name}, found {list(size)}'
            )
        if self.image_shape[1:3] != (None, None):
            raise ConfigError(
                f'input_size: {self.info.name} has the fixed size {list(self.info.input_size)}, '
                f'found {list(size)}; export it for that size'
            )
        info = replace(self.info, input_size=size, self_check='')
        resized = self.rewritten(lambda p: onnx.helper.set_model_props(p, info.to_metadata()))
        return replace(resized, info=info)

    def with_info(self, info: ModelInfo) -> ModelFile:
        """Return the same network in a file that says ``info`` of itself, of no path."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        return ModelFile.create(info, proto)


def is_model_file(proto: onnx.ModelProto) -> bool:
    """Tell whether an ONNX model was written by this package."""
    return any(p.key == PREFIX + 'format_version' for p in proto.metadata_props)


def load_onnx(path: Path) -> tuple[onnx.ModelProto, str]:
    """
    Read an ONNX file, and the weights that it keeps in a file beside it.

    :return: the parsed model, and the sha256 of the file
    :raises ModelError: no such file, or it is not ONNX
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f'model file {path}: cannot be read ({error.strerror}); expected an ONNX file'
        ) from error
    try:
        proto = onnx.load_model_from_string(data)
        load_external_data_for_model(proto, str(path.parent))
        onnx.checker.check_model(proto)
    except Exception as error:  # protobuf's and onnx's errors share no base class
        raise ModelError(
            f'model file {path}: not a valid ONNX file '
            f'({str(error).splitlines()[0]}); fetch or export it again'
        ) from error
    return proto, hashlib.sha256(data).hexdigest()


def load_model_file(path: str | Path) -> ModelFile:
    """
    Read a model file that this package wrote.

    :raises ModelError: no such file, not ONNX, not a model file, or not as agreed
    """
    path = Path(path)
    proto, sha256 = load_onnx(path)
    if not is_model_file(proto):
        raise ModelError(
            f'model file {path}: an ONNX file without espnet_ros metadata; give its '
            'mean, std, scale, channel order and class names, or convert it with '
            'espnet-ros export'
        )
    return as_model_file(proto, sha256, path)


def as_model_file(proto: onnx.ModelProto, sha256: str, path: Path) -> ModelFile:
    """
    Return what was read from a file that this package wrote.

    :raises ModelError: it is not as agreed
    """
    check_interface(proto, str(path))
    properties = {p.key: p.value for p in proto.metadata_props}
    return ModelFile(ModelInfo.from_metadata(properties, str(path)), proto, sha256, path)


def check_interface(proto: onnx.ModelProto, origin: str) -> None:
    """
    Check the names and types of inputs and outputs.

    :raises ModelError: they are not those of a model file
    """
    expected = [(IMAGE, 'UINT8', 4), (LABELS, 'UINT8', 3), (CONFIDENCE, 'UINT8', 3)]
    found = []
    for value in (*proto.graph.input, *proto.graph.output):
        tensor = value.type.tensor_type
        found.append(
            (value.name, onnx.TensorProto.DataType.Name(tensor.elem_type), len(tensor.shape.dim))
        )
    if found != expected:
        words = [
            '; '.join(
                f'{name} {kind.lower()} of {rank} dimensions' for name, kind, rank in entries
            )
            for entries in (expected, found)
        ]
        raise ModelError(f'model file {origin}: expected {words[0]}, found {words[1]}')
