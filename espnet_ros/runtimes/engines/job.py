"""What an engine is built for, and how its building is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
import hashlib
import json


@dataclass(frozen=True)
class EngineJob:
    """
    What an engine is built for: all that its bytes depend on.

    :param model_sha256: of the ONNX bytes that are built, not of the file they came from
    :param tensorrt: version of the library
    :param cuda: version of the CUDA runtime
    :param gpu: name of the GPU or board
    :param compute_capability: for example ``8.7``
    :param multiprocessors: how many the GPU has
    :param precision: fp32, fp16 or int8
    :param image_size: (height, width) in pixels of the images that it takes
    :param mask_size: (height, width) of the labels that it gives: the network's input size
    :param has_confidence: whether it gives the confidence too
    :param batch_size: largest batch
    :param has_fixed_batch: whether every batch has that size
    :param calibration_sha256: of the images that INT8 scales are measured on, or empty
    :param dla_core: number of the DLA core, or -1 for the GPU
    :param workspace_bytes: memory that a layer may work in
    :param optimization_level: 0 to 5, where the version has it
    """

    model_sha256: str
    tensorrt: str
    cuda: str
    gpu: str
    compute_capability: str
    multiprocessors: int
    precision: str
    image_size: tuple[int, int]
    mask_size: tuple[int, int]
    has_confidence: bool = True
    batch_size: int = 1
    has_fixed_batch: bool = True
    calibration_sha256: str = ''
    dla_core: int = -1
    workspace_bytes: int = 1 << 30
    optimization_level: int = 3
    format_version: int = 2

    @property
    def digest(self) -> str:
        """Return a sha256 that differs where any of the fields does."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EngineJob:
        """Return what :meth:`to_json` gave."""
        content = json.loads(text)
        for key in ('image_size', 'mask_size'):
            content[key] = tuple(content[key])
        return cls(**content)


@dataclass(frozen=True)
class BuildProgress:
    """
    How far a build is.

    :param phase: what TensorRT does, in its own words; empty where it does not tell
    :param fraction: done, 0 to 1, or None where nobody knows
    :param elapsed_s: seconds since the build began
    """

    phase: str
    fraction: float | None
    elapsed_s: float

    @property
    def words(self) -> str:
        """Return it in words."""
        share = '' if self.fraction is None else f'{100 * self.fraction:.0f} %, '
        phase = f' ({self.phase})' if self.phase else ''
        return f'{share}{self.elapsed_s:.0f} s{phase}'


@dataclass(frozen=True)
class BuildWatch:
    """
    Who is told of a build, and may end it.

    :param on_progress: is called at least every few seconds while a build goes on
    :param is_cancelled: is asked now and then; True ends the build
    """

    on_progress: Callable[[BuildProgress], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False


NO_BUILD = BuildWatch(is_cancelled=lambda: True)
"""Lets no build begin: for those who want an engine only where it is kept."""
