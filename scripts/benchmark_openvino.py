#!/usr/bin/env python3
"""
How close OpenVINO's frame comes to what the processor can compute, and what the confidence costs.

    python scripts/benchmark_openvino.py --precision fp32

The compute limit is the time of the network's multiplications at the speed of a square matrix
product in OpenVINO, in the same precision and threads. Product, labels alone, and labels with
confidence take turns, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from statistics import median
from time import perf_counter
from typing import Any

from espnet_ros.benchmark.image import street_frame
from espnet_ros.config import RuntimeSettings
from espnet_ros.model_file import open_model
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.runtimes.openvino import ov
from espnet_ros.runtimes.torch import rebuild_pipeline
import numpy as np
from paper_networks import mac_count

PRODUCT, LABELS, CONFIDENCE = 'matrix product', 'labels alone', 'labels and confidence'
TYPES = {'fp32': 'f32', 'bf16': 'bf16', 'fp16': 'f16'}


def make_product(side: int, precision: str, threads: int) -> Callable[[], object]:
    """Return a function that multiplies a matrix of (side, side) by a constant one."""
    values = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    given = ov.opset13.parameter([side, side], np.float32)
    product = ov.opset13.matmul(given, ov.opset13.constant(values), False, False)
    options = {
        'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_PRECISION_HINT': TYPES[precision],
        'INFERENCE_NUM_THREADS': threads,
        'ENABLE_CPU_PINNING': False,
    }
    compiled = ov.Core().compile_model(ov.Model([product], [given]), 'CPU', options)
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(values))
    infer: Callable[[], object] = request.infer
    return infer


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median of each in milliseconds; they take turns, after a round to warm up."""
    durations: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, work in ways.items():
            started = perf_counter()
            work()
            durations[name].append((perf_counter() - started) * 1e3)
    return {name: median(values[1:]) for name, values in durations.items()}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; return times in milliseconds and their ratios."""
    model = open_model(arguments.model)
    settings = RuntimeSettings(
        runtime='openvino', precision=arguments.precision, threads=arguments.threads
    )
    size = model.info.input_size
    macs = mac_count(rebuild_pipeline(model).network, size)
    batch = street_frame(size).image_bgr[np.newaxis].copy()
    with open_runtime(model, settings) as runtime:
        threads = settings.thread_count
        ways = {
            PRODUCT: make_product(arguments.side, runtime.precision, threads),
            LABELS: lambda: runtime.infer(batch, confidence=False),
            CONFIDENCE: lambda: runtime.infer(batch, confidence=True),
        }
        times_ms = measure(ways, arguments.rounds)
        precision = runtime.precision
    limit_ms = times_ms[PRODUCT] * macs / arguments.side**3
    return {
        'model': model.info.name,
        'precision': precision,
        'threads': threads,
        'gflop': 2e-9 * macs,
        'gflop_per_s': 2e-6 * arguments.side**3 / times_ms[PRODUCT],
        'compute_limit_ms': limit_ms,
        'labels_ms': times_ms[LABELS],
        'confidence_ms': times_ms[CONFIDENCE],
        'labels_per_limit': times_ms[LABELS] / limit_ms,
        'confidence_per_labels': times_ms[CONFIDENCE] / times_ms[LABELS],
    }


def main() -> None:
    """Measure and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--model', default='auto', help='name or file')
    parser.add_argument('--precision', default='auto', choices=('auto', *TYPES))
    parser.add_argument('--threads', type=int, default=0, help='0: every core it may use')
    parser.add_argument('--side', type=int, default=2048, help='of the square matrices')
    parser.add_argument('--rounds', type=int, default=30)
    found = run(parser.parse_args())
    for name, value in found.items():
        print(f'{name:22} {value:10.2f}' if isinstance(value, float) else f'{name:22} {value:>10}')
    print(json.dumps(found))


if __name__ == '__main__':
    main()
