"""The observer's end of the pipe to the camera of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from espnet_ros.exceptions import InferenceError, InputError
from espnet_ros.nodes.benchmark.camera import (
    Arrival,
    CameraPlan,
    Command,
    play,
    Played,
    Ready,
    Refusal,
)

ANSWER_LIMIT_S = 60.0
_STOP_LIMIT_S = 10.0
_ENDED = 'the camera of the benchmark ended by itself'


class CameraProcess:
    def __init__(self, process: SpawnProcess, connection: Connection) -> None:
        self._process = process
        self._connection = connection

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def wait_until_ready(self) -> Ready:
        """
        Return what it is going to publish, once it can.

        :raises InputError: the image cannot be had
        :raises InferenceError: the process ended, or is stuck
        """
        answer = self._receive()
        if isinstance(answer, Ready):
            return answer
        reason = answer.reason if isinstance(answer, Refusal) else f'found {answer}'
        raise InputError(f'the camera of the benchmark cannot play: {reason}')

    def play(self) -> None:
        self._send(Command.PLAY)

    def pause(self) -> Played:
        """
        Let it publish no more; return what it has since :meth:`play`.

        :raises InferenceError: the process ended, or is stuck
        """
        self._send(Command.PAUSE)
        answer = self._receive()
        if isinstance(answer, Played):
            return answer
        raise InferenceError(f'the camera of the benchmark answered {answer}')

    def arrived(self, index: int, stamp_ns: int) -> None:
        """Tell it what became of an image; see :class:`Arrival`."""
        self._send(Arrival(index, stamp_ns))

    def _send(self, message: Command | Arrival) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise InferenceError(_ENDED) from error

    def _receive(self) -> object:
        try:
            if self._connection.poll(ANSWER_LIMIT_S):
                return self._connection.recv()
        except (EOFError, OSError) as error:
            raise InferenceError(_ENDED) from error
        raise InferenceError('the camera of the benchmark does not answer')


@contextmanager
def camera_process(plan: CameraPlan) -> Iterator[CameraProcess]:
    """Run a camera, paused, in a process of its own."""
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe()
    process = context.Process(target=play, args=(plan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield CameraProcess(process, ours)
    finally:
        ours.close()
        process.join(_STOP_LIMIT_S)
        if process.is_alive():
            process.kill()
            process.join()
