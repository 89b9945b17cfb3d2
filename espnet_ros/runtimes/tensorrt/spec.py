"""What an engine is built for, from what was requested and what there is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import hashlib
import json
import math

from espnet_ros.config import EngineSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.tensorrt.building.network import fit_network
from espnet_ros.runtimes.tensorrt.image_sizes import ImageSizes
from espnet_ros.runtimes.tensorrt.library import Library, load_tensorrt, TENSORRT
from espnet_ros.runtimes.tensorrt.machine import Gpu

PRECISIONS = ('fp32', 'fp16', 'int8')
_MEBIBYTE = 1 << 20
_LEAST_WORKSPACE_BYTES = 1 << 30
_WORKSPACE_BYTES_PER_PIXEL = 512
"""Newer compilers count all activations in: ESPNet at 1024x2048 took 171 bytes a pixel in FP16."""
_IMAGE_BYTES_PER_PIXEL = 32
"""Of an image that is resized in the engine: as bytes, and twice in float, with some to spare."""

OLD_CAPABILITY = '7.5'
"""GPUs that engines built for all of them leave out: they get engines of their own."""

ANY_GPU = Gpu(0, 'any GPU', (8, 0), 0, is_integrated=False)
_ANY_OLD_GPU = Gpu(0, 'any GPU', (7, 5), 0, is_integrated=False)


def target_of(library: Library, gpu: Gpu) -> Gpu:
    """Return the GPU that a library builds for, to run on one of this machine."""
    if not library.compiles_on_load:
        return gpu
    return _ANY_OLD_GPU if gpu.capability_words == OLD_CAPABILITY else ANY_GPU


@dataclass(frozen=True)
class EngineSpec:
    """
    What an engine is built for: all that its bytes depend on.

    :param model_sha256: of the ONNX bytes that are built, not of the file they came from
    :param gpu: name of the GPU or board; that of a kind, where engines are built for all of it
    :param compute_capability: for example ``8.7``
    :param precision: fp32, fp16 or int8
    :param image_size: (height, width) in pixels of the images that it takes
    :param mask_size: (height, width) of the labels that it gives: the network's input size
    :param batch_size: largest batch; engines of one image have no other
    :param workspace_bytes: memory that a layer may work in
    :param optimization_level: 0 to 5
    :param library: name of the library that builds and runs it
    :param takes_smaller: whether it takes images of all smaller sizes too
    """

    model_sha256: str
    tensorrt: str
    gpu: str
    compute_capability: str
    multiprocessors: int
    precision: str
    image_size: tuple[int, int]
    mask_size: tuple[int, int]
    has_confidence: bool = True
    batch_size: int = 1
    workspace_bytes: int = 1 << 30
    optimization_level: int = 3
    library: str = TENSORRT.name
    takes_smaller: bool = False
    format_version: int = 5

    @property
    def fixed_batch(self) -> int | None:
        """Return the size that every batch has, or None where smaller ones may come."""
        return 1 if self.batch_size == 1 else None

    @property
    def network_size(self) -> tuple[int | None, int | None]:
        """Return the (height, width) that its network has, None where they are free."""
        return (None, None) if self.takes_smaller else self.image_size

    @property
    def size_words(self) -> str:
        """Return the sizes of image and mask in words."""
        image, mask = (f'{width}x{height}' for height, width in (self.image_size, self.mask_size))
        if self.takes_smaller:
            return f'images of up to {image} resized to {mask}'
        return mask if image == mask else f'{image} resized to {mask}'

    @property
    def digest(self) -> str:
        """Return a sha256 that differs where any of the fields does."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EngineSpec:
        content = json.loads(text)
        for key in ('image_size', 'mask_size'):
            content[key] = tuple(content[key])
        return cls(**content)


def choose_precision(requested: str, model: ModelFile, gpu: Gpu, runtime: str) -> str:
    """
    Return the precision to build with.

    :param requested: a precision, or auto for the fastest that the model has scales for
    :raises RuntimeUnavailableError: there is no such one, or the model is not made for it
    """
    if requested == 'auto':
        return 'int8' if model.is_quantized else 'fp16' if gpu.has_fast_fp16 else 'fp32'
    if requested not in PRECISIONS:
        raise RuntimeUnavailableError(
            f'{runtime}: no precision {requested}; expected auto or one of {", ".join(PRECISIONS)}'
        )
    if requested == 'int8' and not model.is_quantized:
        raise RuntimeUnavailableError(
            f'{runtime}: precision int8 needs a quantised model, and {model.origin} is none; make '
            'one on any computer: espnet-ros build --model MODEL --precision int8 --calibration '
            'SOURCE'
        )
    if requested != 'int8' and model.is_quantized:
        raise RuntimeUnavailableError(
            f'{runtime}: {model.origin} is a quantised model, which has precision int8; found '
            f'{requested}'
        )
    return requested


def plan_engine(
    model: ModelFile,
    settings: EngineSettings,
    gpu: Gpu,
    *,
    library: Library,
    precision: str,
    sizes: ImageSizes,
    batch_size: int,
) -> EngineSpec:
    """
    Return what an engine is built for.

    :param model: with the graph that is computed
    :param gpu: what it is built for, see :func:`target_of`
    :param sizes: of the images, that of the engine known
    :raises ModelError: the graph cannot be built for that
    :raises RuntimeUnavailableError: the library is not here
    """
    mask_size = model.info.input_size
    image_size = sizes.engine or mask_size
    # What is built depends on the release of this package too.
    network = fit_network(
        model,
        1 if batch_size == 1 else None,
        image_size=(None, None) if sizes.are_many else image_size,
        has_confidence=settings.engine_confidence,
        as_half=False,
    )
    one_bytes = _WORKSPACE_BYTES_PER_PIXEL * math.prod(mask_size)
    if image_size != mask_size:
        one_bytes += _IMAGE_BYTES_PER_PIXEL * math.prod(image_size)
    automatic = max(_LEAST_WORKSPACE_BYTES, batch_size * one_bytes)
    return EngineSpec(
        model_sha256=hashlib.sha256(network).hexdigest(),
        tensorrt=str(load_tensorrt(library).__version__),
        gpu=gpu.name,
        compute_capability=gpu.capability_words,
        multiprocessors=gpu.multiprocessors,
        precision=precision,
        image_size=image_size,
        mask_size=mask_size,
        has_confidence=settings.engine_confidence,
        batch_size=batch_size,
        workspace_bytes=settings.workspace_mb * _MEBIBYTE or automatic,
        optimization_level=settings.optimization_level,
        library=library.name,
        takes_smaller=sizes.are_many,
    )
