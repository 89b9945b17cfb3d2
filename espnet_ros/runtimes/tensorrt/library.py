"""
TensorRT's Python libraries: loading one, its log, and what each version can do.

What a version can do is found by ``hasattr`` on the library, not by its number or by the
board: JetPack 7.2 and desktops share versions. Facts about the versions are those of the
bindings at NVIDIA's release tags.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import functools
from importlib import import_module
import logging
import re
from typing import Any

from espnet_ros.exceptions import RuntimeUnavailableError

logger = logging.getLogger(__name__)

_LINES_KEPT = 8
_ERROR, _WARNING, _INFO = 1, 2, 3
"""TensorRT's severities, lower is worse; 0 is an internal error."""


@dataclass(frozen=True)
class Library:
    """
    One of NVIDIA's two libraries that run engines: all that the other has otherwise.

    :param name: of its Python module, and of its runtime
    :param words: what NVIDIA calls it
    :param oldest: the first version that this package takes
    :param install: where to get it
    :param update: what to do about an older one
    :param compiles_on_load: whether an engine is built without a GPU, for all of them, and its
        kernels are compiled for one when it is loaded: the library keeps those, and records CUDA
        graphs, itself; no kernel is timed in a build
    :param capabilities: compute capabilities that it runs on, later ones too; empty for any
    """

    name: str
    words: str
    oldest: tuple[int, int]
    install: str
    update: str
    compiles_on_load: bool = False
    capabilities: tuple[tuple[int, int], ...] = ()

    def runs_on(self, capability: tuple[int, int]) -> bool:
        """Return whether it runs on GPUs of a compute capability."""
        known = self.capabilities
        return not known or capability in known or capability > max(known)


TENSORRT = Library(
    'tensorrt',
    'TensorRT',
    (8, 6),  # that of JetPack 6.0, the first JetPack with a Python that runs this package
    'sudo apt install python3-libnvinfer on a Jetson, and a virtual environment made with '
    '--system-site-packages; pip install tensorrt elsewhere',
    'update JetPack to 6.0 or newer',
)
TENSORRT_RTX = Library(
    'tensorrt_rtx',
    'TensorRT-RTX',
    (1, 7),  # what was looked at; CUDA graphs came with 1.2
    'pip install "espnet-ros[rtx]"; on PCs with an RTX card and on DGX Spark, not on a Jetson',
    'pip install --upgrade "espnet-ros[rtx]"',
    compiles_on_load=True,
    capabilities=((7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1)),
)
LIBRARIES = {library.name: library for library in (TENSORRT, TENSORRT_RTX)}


@functools.cache
def load_tensorrt(library: Library) -> Any:
    """
    Return the module of a library.

    :raises RuntimeUnavailableError: it is not here, does not load, or is too old
    """
    try:
        module = import_module(library.name)
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError(
            f'{library.name}: the Python package is not installed ({library.install})'
        ) from error
    except (ImportError, OSError, RuntimeError) as error:
        reason = ' '.join(str(error).split())
        raise RuntimeUnavailableError(
            f'{library.name}: installed, but it cannot be loaded ({reason}); install it anew with '
            'the CUDA libraries that it was made for'
        ) from error
    if version_of(module) < library.oldest:
        raise RuntimeUnavailableError(
            f'{library.name}: expected {"{}.{}".format(*library.oldest)} or newer, found '
            f'{module.__version__}; {library.update}'
        )
    return module


def library_of(trt: Any) -> Library:
    return LIBRARIES[trt.__name__]


def name_of(trt: Any) -> str:
    return f'{library_of(trt).words} {trt.__version__}'


def version_of(trt: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', trt.__version__)[:4])


def is_strongly_typed(trt: Any) -> bool:
    """
    Return whether types are always those of the ONNX file.

    So it is from TensorRT 11 on. Up to 10.16 the builder chooses types itself where a flag
    allows it (``BuilderFlag.FP16`` and ``INT8``, removed in 11).
    """
    return not hasattr(trt.BuilderFlag, 'FP16')


class LogTail:
    """
    Receives TensorRT's messages: warnings go to the log, and the last ones are kept.

    TensorRT's functions return None or False where they fail; the reason is only here.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)

    def take(self, severity: int, message: str) -> None:
        """Take a message; may be called from any thread."""
        if severity <= _WARNING:
            self._lines.append(' '.join(message.split()))
        level = {_ERROR: logging.ERROR, _WARNING: logging.WARNING}.get(severity, logging.DEBUG)
        # What fails is raised as an error with these words, so here it is for the curious.
        logger.log(min(level, logging.INFO) if severity <= _INFO else level, '%s', message)

    def clear(self) -> None:
        """Forget what was said, before something that may fail."""
        self._lines.clear()

    def reason(self) -> str:
        """Return the last warnings and errors in one line."""
        return '; '.join(dict.fromkeys(self._lines)) or 'TensorRT gave no reason'


@functools.cache
def shared_logger(trt: Any) -> Any:
    """
    Return the logger of this process, with its :class:`LogTail` as ``tail``.

    TensorRT keeps the first logger that it gets for ever, so there is one and it stays.
    ``trt.Logger`` would write to standard output.
    """

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the bindings demand the base's own __init__
            self.tail = LogTail()

        def log(self, severity: Any, message: str) -> None:
            self.tail.take(int(severity), message)

    return Log()
