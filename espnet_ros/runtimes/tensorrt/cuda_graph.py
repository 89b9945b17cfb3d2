"""A CUDA graph: what a stream does for one batch, launched with one call."""

from __future__ import annotations

from collections.abc import Callable

from espnet_ros.exceptions import InferenceError
from espnet_ros.runtimes.tensorrt.cuda import Cuda


class CapturedGraph:
    """
    Work recorded from a stream.

    It holds the addresses and shapes of the moment of its recording: after a change of
    either it has to be recorded anew. The same work has run on the stream once before, as
    what a library sets up at its first run cannot be recorded.

    :param cuda: CUDA's runtime
    :param stream: what is recorded; nothing else may be put on it meanwhile
    :param submit: puts the work on the stream
    :raises InferenceError: the work cannot be recorded; the stream can be used as before
    """

    def __init__(self, cuda: Cuda, stream: int, submit: Callable[[], None]) -> None:
        self._cuda = cuda
        self._stream = stream
        self._executable = _record(cuda, stream, submit)

    def launch(self) -> None:
        """Run the recorded work on its stream."""
        self._cuda.launch(self._executable, self._stream)

    def destroy(self) -> None:
        self._cuda.destroy_executable(self._executable)


def _record(cuda: Cuda, stream: int, submit: Callable[[], None]) -> int:
    cuda.begin_capture(stream)
    try:
        submit()
    except InferenceError:
        _abandon(cuda, stream)
        raise
    try:
        graph = cuda.end_capture(stream)
        if not graph:
            raise InferenceError('CUDA: nothing was captured')
    except InferenceError:
        cuda.forget_error()
        raise
    try:
        return cuda.instantiate(graph)
    finally:
        cuda.destroy_graph(graph)


def _abandon(cuda: Cuda, stream: int) -> None:
    """End a capture that failed half-way, so that the stream can be used again."""
    try:
        graph = cuda.end_capture(stream)
    except InferenceError:
        pass  # it was invalidated, which the error that led here has told
    else:
        if graph:
            cuda.destroy_graph(graph)
    cuda.forget_error()
