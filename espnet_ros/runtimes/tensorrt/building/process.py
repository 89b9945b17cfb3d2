"""
Building in a process of its own.

A build takes minutes and gigabytes: in its own process it can be ended at any time, gives
back all memory (a Jetson's GPU and CPU share it),
and cannot take the robot's node with it.

The specification and the network go to standard input; progress comes as lines of JSON on standard
output, and after the last line the engine. Nothing is written to disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from typing import Any, BinaryIO

from espnet_ros.exceptions import (
    BuildCancelled,
    EspnetError,
    InferenceError,
    ModelError,
    RuntimeUnavailableError,
)
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch
from espnet_ros.runtimes.tensorrt.building.builder import build_engine, BuildInput, BuiltEngine
from espnet_ros.runtimes.tensorrt.cuda import open_cuda
from espnet_ros.runtimes.tensorrt.library import LIBRARIES, load_tensorrt
from espnet_ros.runtimes.tensorrt.spec import EngineSpec

HEARTBEAT_S = 5.0
_POLL_S = 0.2
_ERRORS = {kind.__name__: kind for kind in (ModelError, RuntimeUnavailableError)}


def build_in_process(spec: EngineSpec, given: BuildInput, watch: BuildWatch) -> BuiltEngine:
    """
    Build an engine in a process of its own.

    :raises BuildCancelled: the watch said so
    :raises ModelError: TensorRT does not take the network, or died over it
    :raises RuntimeUnavailableError: the GPU or the version lacks what the engine needs
    """
    with _child() as child:
        sender = threading.Thread(target=_send, args=(child, spec, given))
        sender.start()
        try:
            return _follow(child, watch)
        finally:
            child.kill()
            sender.join()


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    # In a session of its own, Ctrl-C reaches the parent alone, which then ends the child.
    with subprocess.Popen(
        [sys.executable, '-m', __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _send(child: subprocess.Popen[bytes], spec: EngineSpec, given: BuildInput) -> None:
    if child.stdin is None:
        return
    parts = (given.network, given.timing_cache)
    head = {
        'spec': spec.to_json(),
        'device': given.device,
        'part_bytes': [len(part) for part in parts],
    }
    try:
        # It stays open: its end tells the child that the parent is gone.
        child.stdin.write(json.dumps(head).encode() + b'\n' + b''.join(parts))
        child.stdin.flush()
    except BrokenPipeError:
        pass  # the child has ended, and why is read from its output


def _follow(child: subprocess.Popen[bytes], watch: BuildWatch) -> BuiltEngine:
    """Read lines from the child until it is done."""
    started_s = told_s = time.monotonic()
    phase, fraction = '', None
    lines = _lines(child, watch)
    for line in lines:
        now_s = time.monotonic()
        if line:
            message = json.loads(line)
            if 'error' in message:
                raise _ERRORS.get(message['error'], InferenceError)(message['text'])
            if 'part_bytes' in message:
                return _receive(child, message['part_bytes'])
            phase, fraction = message['phase'], message['fraction']
        if line or now_s - told_s >= HEARTBEAT_S:
            told_s = now_s
            watch.on_progress(BuildProgress(phase, fraction, now_s - started_s))
    code = child.wait()
    why = f'was killed by signal {-code}' if code < 0 else f'ended with code {code}'
    raise ModelError(
        f'TensorRT {why} while it built the engine; signal 9 means too little memory: lower '
        'workspace_mb, or end other programs'
    )


def _lines(child: subprocess.Popen[bytes], watch: BuildWatch) -> Iterator[bytes]:
    """Yield the child's lines, and an empty one now and then while there is none."""
    if child.stdout is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if watch.is_cancelled():
                raise BuildCancelled('the engine build was cancelled; nothing was kept')
            if not selector.select(_POLL_S):
                yield b''
                continue
            # Unbuffered reads, as bytes in a buffer would wake no selector.
            line = _read_line(child.stdout.fileno())
            if not line:
                return
            yield line


def _read_line(descriptor: int) -> bytes:
    line = bytearray()
    while byte := os.read(descriptor, 1):
        if byte == b'\n':
            break
        line += byte
    return bytes(line)


def _receive(child: subprocess.Popen[bytes], sizes: list[int]) -> BuiltEngine:
    if child.stdout is None:
        raise InferenceError('the build process has no output')
    parts = [child.stdout.read(size) for size in sizes]
    if [len(part) for part in parts] != sizes:
        raise ModelError('the build process ended before it handed over the engine; try again')
    return BuiltEngine(*parts)


def main() -> int:
    """Build what standard input says; return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    # Whatever a library prints must not get between the lines of the protocol.
    output = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)
    head = json.loads(sys.stdin.buffer.readline())
    network, timing_cache = (sys.stdin.buffer.read(size) for size in head['part_bytes'])
    given = BuildInput(network, head['device'], timing_cache)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def report(phase: str, fraction: float | None) -> bool:
        _write(output, {'phase': phase, 'fraction': fraction})
        return True

    try:
        spec = EngineSpec.from_json(head['spec'])
        library = LIBRARIES[spec.library]
        trt = load_tensorrt(library)
        if not library.compiles_on_load:
            open_cuda().set_device(given.device)
        built = build_engine(trt, spec, given, report)
    except EspnetError as error:
        _write(output, {'error': type(error).__name__, 'text': str(error)})
        return 1
    parts = (built.plan, built.timing_cache)
    _write(output, {'part_bytes': [len(part) for part in parts]})
    output.write(b''.join(parts))
    output.flush()
    return 0


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


_write_lock = threading.Lock()


def _write(output: BinaryIO, message: dict[str, Any]) -> None:
    with _write_lock:
        output.write(json.dumps(message).encode() + b'\n')
        output.flush()


if __name__ == '__main__':
    code = main()
    # The thread that waits for the parent would hold up an orderly end.
    sys.stderr.flush()
    os._exit(code)
