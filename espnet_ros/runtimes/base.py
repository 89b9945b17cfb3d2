"""The interface that every runtime has, and the checks that all share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TYPE_CHECKING

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError, InferenceError, InputError
from espnet_ros.model_file import IMAGE, ModelFile
from espnet_ros.model_file.file_format import Rewrite
from espnet_ros.model_file.graph.image_resize import resize_in_graph
from espnet_ros.runtimes.build_watch import BuildWatch, SILENT
from espnet_ros.runtimes.golden import Reference
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class TensorSpec:
    """
    Name, type and shape of an input or output.

    :param dtype: numpy name of the element type, for example ``uint8``
    :param shape: size of each dimension; None where any size goes
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Inference:
    """
    What one call of a runtime returns.

    :param labels: uint8, (N, H, W), class ids
    :param confidence: uint8, (N, H, W), 0..255, or None where it was not requested
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Workload:
    """
    What is known of the images to come, for a runtime that builds an engine for them.

    :param image_size: (height, width) of the images; None where the first one tells
    :param find_reference: returns labels to check an engine by, of a model and an image size, or
        None where there are none
    """

    batch_size: int = 1
    image_size: tuple[int, int] | None = None
    watch: BuildWatch = SILENT
    find_reference: Callable[[ModelFile, tuple[int, int]], Reference | None] = lambda *_: None


class Runtime(ABC):
    """
    Runs one model file.

    A runtime is opened, used from one thread at a time, and closed; it is a context
    manager too. The arrays that :meth:`infer` returns belong to the runtime and are valid
    until the next call: whoever keeps them longer copies them. The batch that it is given
    may be reused by the caller as soon as the call returns.

    :param settings: device, precision and threads; ``runtime`` is not looked at
    :param workload: what is known of the images to come

    :cvar rewrites: what the library wants of the graph, in order
    :cvar has_engine: whether it builds an engine, which can be rebuilt
    """

    name: ClassVar[str]
    rewrites: ClassVar[tuple[Rewrite, ...]] = ()
    has_engine: ClassVar[bool] = False

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        self.model = model
        self.settings = settings
        self.workload = workload or Workload()
        self._is_open = False
        self._precision = ''

    @property
    def input_spec(self) -> TensorSpec:
        """
        Return the input that :meth:`infer` takes.

        It is what the model file declares, with images of any size where the runtime resizes.
        """
        shape = self.model.image_shape
        return TensorSpec(
            IMAGE,
            self.model.image_dtype,
            (shape[0], None, None, 3) if self.resizes else shape,
        )

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def waits_for_image(self) -> bool:
        """Return whether the first image decides what is loaded; a trial run would mislead it."""
        return False

    @property
    def resizes(self) -> bool:
        """Return whether the graph resizes: then it takes images of many sizes."""
        return self.settings.resize == 'device'

    def takes(self, size: tuple[int, int]) -> bool:
        """Return whether images of (height, width) go in as they are, not resized before."""
        return self.resizes

    @property
    def resize(self) -> str:
        """Return where images are resized: host, or device."""
        return 'device' if self.resizes else 'host'

    @property
    def has_confidence(self) -> bool:
        """Return whether the confidence can be requested."""
        return True

    @property
    def precision(self) -> str:
        """Return the arithmetic that is really used: fp32, fp16, bf16 or int8; empty before."""
        return self._precision

    @property
    @abstractmethod
    def device(self) -> str:
        """Return the device that is really used, in words."""

    @property
    def facts(self) -> dict[str, str]:
        """Return what else is known of what runs, by key, as diagnostics show it."""
        return {}

    def allocate_batch(
        self, count: int, size: tuple[int, int] | None = None
    ) -> NDArray[np.generic]:
        """
        Return memory for a batch of so many images, for :meth:`infer`.

        A runtime may give memory that its device reads, so that nothing is copied; it is
        valid while the runtime is open, and its contents until the next call of this.

        :param size: (height, width) of the images; None for the network's input size
        """
        return np.empty((count, *(size or self.model.info.input_size), 3), self.input_spec.dtype)

    def open(self) -> None:
        """
        Load the model; does nothing where it is loaded.

        :raises RuntimeUnavailableError: device or precision are not to be had
        :raises ModelError: the library does not take the model
        """
        if not self._is_open:
            self._open()
            self._is_open = True

    def close(self) -> None:
        """Free the model and the device; does nothing where that was done."""
        if self._is_open:
            self._is_open = False
            self._close()

    def infer(self, batch: NDArray[np.generic], *, confidence: bool = False) -> Inference:
        """
        Segment a batch of images.

        :param batch: (N, H, W, 3), BGR, of the type of :attr:`input_spec`, C-contiguous;
            H and W multiples of the model's ``size_multiple``, or any where it resizes
        :return: arrays of the batch's size, or of the network's input size where it resizes,
            that are valid until the next call
        :raises InputError: the batch is not of that type or shape
        :raises ConfigError: the confidence is requested and cannot be
        :raises InferenceError: the library failed, or the runtime is not open
        """
        if not self._is_open:
            raise InferenceError(f'{self.name}: the runtime is not open; call open() first')
        if confidence and not self.has_confidence:
            raise ConfigError(
                f'{self.name}: the engine is to give no confidence; set engine_confidence to true'
            )
        self._check_batch(batch)
        return self._infer(batch, confidence)

    def _computed_model(self) -> ModelFile:
        rewrites = list(self.rewrites)
        if self.resizes:
            rewrites.append(partial(resize_in_graph, size=self.model.info.input_size))
        return self.model.rewritten(*rewrites)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_batch(self, batch: NDArray[np.generic]) -> None:
        spec = self.input_spec
        if batch.dtype != spec.dtype or batch.ndim != 4 or not batch.flags.c_contiguous:
            raise InputError(
                f'{self.name}: expected a contiguous {spec.dtype} batch of shape (N, H, W, 3), '
                f'found {batch.dtype} of shape {batch.shape}'
            )
        sizes_fit = all(
            want is None or want == have
            for want, have in zip(spec.shape, batch.shape, strict=True)
        )
        multiple = 1 if self.resizes else self.model.info.size_multiple
        if (
            not sizes_fit
            or 0 in batch.shape
            or batch.shape[1] % multiple
            or batch.shape[2] % multiple
        ):
            raise InputError(
                f'{self.name}: expected a batch of shape {_shape_words(spec.shape)} with height '
                f'and width {"above 0" if self.resizes else f"multiples of {multiple}"}, found '
                f'{batch.shape}'
            )

    @abstractmethod
    def _open(self) -> None:
        """Load the model."""

    @abstractmethod
    def _close(self) -> None:
        """Free everything; is called once for each successful :meth:`_open`."""

    @abstractmethod
    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        """Compute a batch whose type and shape were checked."""


def _shape_words(shape: tuple[int | None, ...]) -> str:
    return '(' + ', '.join('any' if size is None else str(size) for size in shape) + ')'
