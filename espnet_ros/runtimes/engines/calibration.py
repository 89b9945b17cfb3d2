"""
INT8 scales that TensorRT measures itself, on images, for a network in float.

It is the way of TensorRT up to 10.16 (deprecated since 10.1, removed in 11), and before 11.4.1
the only one on DLA cores. Quantised model files (:mod:`.quantization`) are the way of all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import ConfigError, EspnetError, InputError
from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.image_files import image_files, IMAGE_SUFFIXES
from espnet_ros.processing.resize import resize_image
from espnet_ros.runtimes.cuda.api import CudaApi
from espnet_ros.runtimes.cuda.buffers import TensorBuffer
import numpy as np
from numpy.typing import NDArray

MOST_IMAGES = 64


@dataclass(frozen=True)
class CalibrationImages:
    """
    The images that scales are measured on.

    :param paths: the files, evenly spread over their folder
    :param sha256: of their contents, in order; empty where there is none
    """

    paths: tuple[str, ...] = ()
    sha256: str = ''


def find_images(folder: str) -> CalibrationImages:
    """
    Return at most :data:`MOST_IMAGES` images of a folder; none where it has no name.

    :raises ConfigError: there is no such folder, or no image in it that can be read
    """
    if not folder:
        return CalibrationImages()
    try:
        files = image_files(Path(folder).expanduser())
        step = -(-len(files) // MOST_IMAGES) or 1
        digest = hashlib.sha256()
        for path in files[::step]:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError as error:
        raise ConfigError(
            f'calibration_dir {folder}: cannot be read ({error.strerror}); expected a folder of '
            'images of what the robot will see'
        ) from error
    if not files:
        raise ConfigError(
            f'calibration_dir {folder}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none'
        )
    return CalibrationImages(tuple(map(str, files[::step])), digest.hexdigest())


def read_images(
    paths: Sequence[str], size: tuple[int, int], dtype: str
) -> Iterator[NDArray[np.generic]]:
    """
    Yield images as an engine takes them, (height, width, 3) each.

    :raises ConfigError: one cannot be decoded
    """
    for path in paths:
        try:
            image_bgr = decode_image(Path(path).read_bytes())
        except (InputError, OSError) as error:
            raise ConfigError(f'calibration_dir: {path} cannot be read ({error})') from error
        resized = np.empty((*size, 3), np.uint8)
        resize_image(image_bgr, resized)
        yield resized.astype(dtype)


class ImageFeed:
    """
    Brings images to the GPU one by one.

    :param cuda: CUDA's runtime, its device set
    :param images: as :func:`read_images` yields them
    :param size: (height, width) of each
    :param dtype: numpy type of each
    :raises InferenceError: there is not enough memory

    :ivar error: what went wrong, as TensorRT's callbacks may raise nothing
    """

    def __init__(
        self,
        cuda: CudaApi,
        images: Iterator[NDArray[np.generic]],
        size: tuple[int, int],
        dtype: str,
    ) -> None:
        self._cuda = cuda
        self._images = images
        self._stream = cuda.create_stream()
        self.error: EspnetError | None = None
        try:
            self._buffer = TensorBuffer(cuda, (1, *size, 3), dtype, is_mapped=False)
        except Exception:
            cuda.destroy_stream(self._stream)
            raise

    def next_address(self) -> int | None:
        """Return where the next image lies on the GPU, or None after the last."""
        try:
            image = next(self._images, None)
            if image is None:
                return None
            np.copyto(self._buffer.host[0], image)
            self._buffer.upload(1, self._stream)
            self._cuda.synchronize(self._stream)
        except EspnetError as error:
            self.error = error
            return None
        return self._buffer.address

    def close(self) -> None:
        """Free the memory."""
        self._buffer.free()
        self._cuda.destroy_stream(self._stream)


def make_calibrator(trt: Any, feed: ImageFeed, cache: bytes) -> Any:
    """
    Return an entropy calibrator (up to 10.16); what it measured is its ``written``.

    :param cache: what an earlier build measured, which then is taken, or empty
    """

    class Calibrator(trt.IInt8EntropyCalibrator2):  # type: ignore[misc]
        """Gives images, one at a time; its methods have TensorRT's names."""

        def __init__(self) -> None:
            trt.IInt8EntropyCalibrator2.__init__(self)  # the bindings demand it
            self.written = cache

        def get_batch_size(self) -> int:
            """Return how many images come at once."""
            return 1

        def get_batch(self, names: Sequence[str]) -> list[int] | None:
            """Return the address of the next image for each input, of which there is one."""
            address = feed.next_address()
            return None if address is None else [address]

        def read_calibration_cache(self) -> bytes | None:
            """Return what an earlier build measured."""
            return cache or None

        def write_calibration_cache(self, measured: Any) -> None:
            """Take what was measured."""
            self.written = bytes(measured)

    return Calibrator()
