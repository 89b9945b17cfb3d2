"""
TensorRT's Python library: loading it, its log, and what each version can do.

What a version can do is found by ``hasattr`` on the library, not by its number or by the
board: JetPack 7.2 and desktops share versions. Facts about the versions are those of the
bindings at NVIDIA's release tags.
"""

from __future__ import annotations

from collections import deque
import functools
from importlib import import_module
import logging
import re
from typing import Any

from espnet_ros.exceptions import RuntimeUnavailableError

logger = logging.getLogger(__name__)

OLDEST = (8, 6)
"""That of JetPack 6.0, the first JetPack with a Python that runs this package."""

_LINES_KEPT = 8
_ERROR, _WARNING, _INFO = 1, 2, 3
"""TensorRT's severities, lower is worse; 0 is an internal error."""


@functools.cache
def load_tensorrt() -> Any:
    """
    Return the module tensorrt.

    :raises RuntimeUnavailableError: it is not here, does not load, or is too old
    """
    try:
        module = import_module('tensorrt')
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError(
            'tensorrt: the Python package is not installed (sudo apt install '
            'python3-libnvinfer on a Jetson, and a virtual environment made with '
            '--system-site-packages; pip install tensorrt elsewhere)'
        ) from error
    except (ImportError, OSError, RuntimeError) as error:
        reason = ' '.join(str(error).split())
        raise RuntimeUnavailableError(
            f'tensorrt: installed, but it cannot be loaded ({reason}); install it anew with '
            'the CUDA libraries that it was made for'
        ) from error
    if version_of(module) < OLDEST:
        raise RuntimeUnavailableError(
            f'tensorrt: expected {OLDEST[0]}.{OLDEST[1]} or newer, found {module.__version__}; '
            'update JetPack to 6.0 or newer'
        )
    return module


def version_of(trt: Any) -> tuple[int, ...]:
    """Return the version of the library as numbers."""
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
        """Passes TensorRT's messages on."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # the bindings demand the base's own __init__
            self.tail = LogTail()

        def log(self, severity: Any, message: str) -> None:
            """Take a message from TensorRT."""
            self.tail.take(int(severity), message)

    return Log()
