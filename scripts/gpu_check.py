#!/usr/bin/env python3
"""Run on a real GPU what this machine allows, and print a table of what ran (make gpu-check)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
import json
from pathlib import Path
import platform
import sys
import tempfile
import time
from typing import Any

from espnet_ros.config import EngineSettings, RuntimeSettings
from espnet_ros.exceptions import EspnetError
from espnet_ros.model_file.store import open_model
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.runtimes.tensorrt.buffers import TensorBuffer
from espnet_ros.runtimes.tensorrt.cuda import Cuda, open_cuda
from espnet_ros.runtimes.tensorrt.cuda_graph import CapturedGraph
from espnet_ros.runtimes.tensorrt.machine import find_gpu
from espnet_ros.version import VERSION
import numpy as np

FRAMES = 50
ENLARGED = 2
BYTES = 1536 * 1024


def check_buffers(cuda: Cuda) -> str:
    """Send bytes to the device and back, by stream and by graph, with both kinds of memory."""
    cuda.set_device(0)
    gpu = find_gpu(cuda, 0)
    stream = cuda.create_stream()
    took = []
    for is_mapped in (False, True):
        buffer = TensorBuffer(cuda, (1, BYTES), np.uint8, is_mapped=is_mapped)
        expected = np.random.default_rng(0).integers(0, 256, BYTES, np.uint8)

        def submit(buffer: TensorBuffer = buffer) -> None:
            buffer.upload(buffer.host.shape, stream)
            buffer.download(1, stream)

        buffer.host[0] = expected
        submit()
        cuda.synchronize(stream)
        graph = None if is_mapped else CapturedGraph(cuda, stream, submit)
        started_s = time.perf_counter()
        for _ in range(FRAMES):
            graph.launch() if graph else submit()
            cuda.synchronize(stream)
        took.append(f'{1e3 * (time.perf_counter() - started_s) / FRAMES:.2f} ms')
        if not np.array_equal(buffer.host[0], expected):
            raise RuntimeError('the bytes that came back are others')
        if graph:
            graph.destroy()
        buffer.free()
    cuda.destroy_stream(stream)
    return f'{gpu.words}: 1.5 MB there and back {took[0]} by graph, mapped {took[1]}'


def check_runtime(name: str, model: str, *, confidence: bool = True, **settings: Any) -> str:
    """Compare labels with ONNX Runtime on the CPU, and time the frames."""
    loaded = open_model(model)
    height, width = loaded.info.input_size
    image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    with open_runtime(loaded, RuntimeSettings(runtime='onnxruntime')) as reference:
        expected = reference.infer(image).labels.copy()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o700)
        engine = EngineSettings(
            engine_cache_dir=folder,
            engine_confidence=confidence,
        )
        with open_runtime(
            loaded, RuntimeSettings(runtime=name, engine=engine, **settings)
        ) as runtime:
            if runtime.resizes:  # every pixel several times is reduced to what it was
                image = image.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
            for _ in range(FRAMES):
                found = runtime.infer(image).labels
            started_s = time.perf_counter()
            for _ in range(FRAMES):
                runtime.infer(image)
            latency_s = (time.perf_counter() - started_s) / FRAMES
            share = float(np.mean(found == expected))
            return (
                f'{runtime.precision} on {runtime.device}: {1e3 * latency_s:.2f} ms a frame, '
                f'{100 * share:.2f} % of the labels of noise as on the CPU'
            )


def main() -> int:
    """Run every check; return 1 where one that could run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', default='auto')
    parser.add_argument('--file', type=Path, default=Path('gpu-check.json'), help='to send')
    given = parser.parse_args()
    results, failed = [], 0
    for name, check in make_checks(given.model).items():
        try:
            state, words = 'ran', check()
        except (EspnetError, ImportError) as error:
            state, words = 'not run', str(error)
        except (RuntimeError, ValueError) as error:
            state, words, failed = 'FAILED', str(error), failed + 1
        results.append({'check': name, 'state': state, 'found': words})
        print(f'{name:26} {state:8} {words}')
    versions = {status.name: status.version or status.reason for status in runtime_report()}
    machine = {'system': platform.platform(), 'python': platform.python_version()}
    content = {
        'espnet_ros': VERSION,
        **machine,
        'runtimes': versions,
        'results': results,
    }
    given.file.write_text(json.dumps(content, indent=2), encoding='utf-8')
    print(f'Written to {given.file}: please send it with an issue.')
    return 1 if failed else 0


def make_checks(model: str) -> dict[str, Callable[[], str]]:
    """Return what can be looked at, by name; what is not installed says so when it runs."""
    checks: dict[str, Callable[[], str]] = {
        'CUDA': lambda: check_buffers(open_cuda()),
        'torch fp32': lambda: check_runtime('torch', model, device='cuda', precision='fp32'),
        'torch fp16': lambda: check_runtime('torch', model, device='cuda', precision='fp16'),
    }
    for name, words in (('tensorrt', 'TensorRT'), ('tensorrt_rtx', 'TensorRT-RTX')):
        run = partial(check_runtime, name, model)
        small = partial(run, resize='host')
        checks[f'{words} fp32'] = partial(small, precision='fp32')
        checks[f'{words} fp16'] = partial(small, precision='fp16')
        checks[f'{words} labels only'] = partial(small, confidence=False, precision='fp16')
        checks[f'{words} resizes'] = partial(run, precision='fp16')
        checks[f'{words} resizes one size'] = partial(run, precision='fp16', resize='device')
    return checks


if __name__ == '__main__':
    sys.exit(main())
