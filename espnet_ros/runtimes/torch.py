"""torch: runs the network as it was trained; the reference for every other runtime."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, ModelError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.models.base import UNUSED_TENSOR
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import ARCHITECTURES, create_model
from espnet_ros.models.training_sets import Normalization
from espnet_ros.runtimes.base import Inference, Runtime, Workload
import numpy as np
from numpy.typing import NDArray
import onnx
import torch
from torch.nn import functional

_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


class TorchRuntime(Runtime):
    """
    Rebuilds the network of a model file in torch and runs it eagerly.

    ``device`` is ``cpu``, ``cuda`` or ``cuda:1``; ``auto`` is the first GPU, or the CPU where
    there is none. ``precision`` is fp32 or bf16, and fp16 on GPUs; ``auto`` is fp16 there and
    fp32 on CPUs. The number of threads is one for the whole process, as torch has it.
    """

    name = 'torch'

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._device = torch.device('cpu')
        self._pipeline: SegmentationPipeline | None = None

    @property
    def device(self) -> str:
        if self._pipeline is None:
            return ''
        if self._device.type == 'cpu':
            return 'CPU'
        return f'{self._device}, {torch.cuda.get_device_name(self._device)}'

    def _open(self) -> None:
        self._device = _find_device(self.settings.device)
        self._precision = _find_precision(self.settings.precision, self._device)
        pipeline = rebuild_pipeline(self.model)
        try:
            if self._device.type == 'cpu':
                torch.set_num_threads(self.settings.thread_count)
            pipeline.to(self._device)
            pipeline.network.to(_DTYPES[self._precision])
        except RuntimeError as error:
            raise RuntimeUnavailableError(
                f'torch: device {self._device} does not take the network ({error})'
            ) from error
        self._pipeline = pipeline

    def _close(self) -> None:
        self._pipeline = None
        if self._device.type == 'cuda':
            torch.cuda.empty_cache()

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        pipeline = self._pipeline
        if pipeline is None:
            raise InferenceError('torch: the runtime is not open; call open() first')
        try:
            with torch.inference_mode(), _flushed_denormals():
                # torch shares memory with arrays that it may write to, and warns of others.
                image = torch.from_numpy(batch if batch.flags.writeable else batch.copy())
                logits = pipeline.logits(self._resized(image.to(self._device)))
                labels = pipeline.labels(logits).cpu().numpy()
                if not confidence:
                    return Inference(labels)
                return Inference(labels, pipeline.confidence(logits).cpu().numpy())
        except (RuntimeError, MemoryError) as error:
            raise InferenceError(
                f'torch: failed on a batch of shape {batch.shape} ({error})'
            ) from error

    def _resized(self, image: torch.Tensor) -> torch.Tensor:
        """Bring (N, H, W, 3) to the network's input size, in float32, where that is requested."""
        if not self.resizes:
            return image
        planes = functional.interpolate(
            image.permute(0, 3, 1, 2).float(),
            size=self.model.info.input_size,
            mode='bilinear',
            align_corners=False,
        )
        return planes.permute(0, 2, 3, 1)


def rebuild_pipeline(model: ModelFile) -> SegmentationPipeline:
    """
    Return the network of a model file in torch, with its pre- and post-processing.

    :raises ModelError: the file holds no network of this package, or not all of it
    """
    info = model.info
    if info.architecture not in ARCHITECTURES:
        raise ModelError(
            f'model {model.origin}: torch runs the networks of this package only '
            f'({", ".join(ARCHITECTURES)}), found {info.architecture!r}; use another runtime'
        )
    network = create_model(info.architecture, **dict(info.architecture_arguments))
    # The numbers are replaced by what the model file holds.
    normalization = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), info.channel_order)
    pipeline = SegmentationPipeline(network, normalization).eval()
    tensors = {tensor.name: tensor for tensor in model.proto.graph.initializer}
    state_dict = {}
    for name, expected in pipeline.state_dict().items():
        if name.endswith(UNUSED_TENSOR):
            continue
        tensor = tensors.pop(name, None)
        if tensor is None or np.prod(tensor.dims) != expected.numel():
            raise ModelError(
                f'model {model.origin}: expected the parameter {name} of shape '
                f'{tuple(expected.shape)}, found {list(tensor.dims) if tensor else "none"}; '
                'export or fetch it again'
            )
        # The graph holds some parameters with dimensions of size one added.
        values = np.array(onnx.numpy_helper.to_array(tensor), np.float32)
        state_dict[name] = torch.from_numpy(values).reshape(expected.shape)
    unknown = sorted(name for name in tensors if name.startswith('network.'))
    if unknown:
        raise ModelError(
            f'model {model.origin}: the parameter {unknown[0]} is not one of '
            f'{info.architecture} with {dict(info.architecture_arguments)}; '
            'export or fetch it again'
        )
    pipeline.load_state_dict(state_dict, strict=True)
    return pipeline


def _find_device(requested: str) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if requested == 'auto':
        return torch.device('cuda:0' if has_cuda else 'cpu')
    kind, _, number = requested.lower().partition(':')
    if kind == 'cpu' and not number:
        return torch.device('cpu')
    if kind != 'cuda' or (number and not number.isdecimal()):
        raise RuntimeUnavailableError(
            f'torch: expected device auto, cpu, cuda or cuda:NUMBER, found {requested!r}'
        )
    count = torch.cuda.device_count() if has_cuda else 0
    if int(number or 0) >= count:
        build = torch.version.cuda or 'without CUDA'
        raise RuntimeUnavailableError(
            f'torch: no device {requested!r}; torch {torch.__version__} (CUDA: {build}) sees '
            f'{count} GPUs'
        )
    return torch.device('cuda', int(number or 0))


def _find_precision(requested: str, device: torch.device) -> str:
    on_gpu = device.type == 'cuda'
    allowed = ['fp32', 'bf16']
    if on_gpu:
        allowed.append('fp16')
        if not torch.cuda.is_bf16_supported():
            allowed.remove('bf16')
    if requested == 'auto':
        return 'fp16' if on_gpu else 'fp32'
    if requested not in allowed:
        raise RuntimeUnavailableError(
            f'torch: no precision {requested} on {device}; expected auto or one of '
            f'{", ".join(allowed)}'
        )
    return requested


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """
    Count denormals as zero on this thread: trained ESPNet weights make them, at great cost.

    The switch belongs to the thread, whose other work is left as it was.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
