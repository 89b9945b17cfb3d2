"""Where training runs."""

from __future__ import annotations

import shutil

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.models.espnet.esp_module import SpatialPyramid
from espnet_ros.training.devices import choose_compute
import pytest
import torch

COMPILER = pytest.mark.skipif(shutil.which('g++') is None, reason='torch compiles with g++')


def test_without_a_gpu_auto_is_the_cpu() -> None:
    compute = choose_compute()
    assert compute.device.type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert compute.precision in ('fp32', 'bf16', 'fp16')


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(RuntimeUnavailableError, match='GPUs'):
        choose_compute('cuda:99')


@pytest.mark.parametrize(
    ('device', 'precision'), [('nonsense', 'auto'), ('cpu', 'int4'), ('cpu', 'fp16')]
)
def test_what_cannot_be_is_refused(device: str, precision: str) -> None:
    with pytest.raises(ConfigError, match='found'):
        choose_compute(device, precision)


@pytest.mark.filterwarnings('ignore:.*torch.jit.script_method:DeprecationWarning')
@pytest.mark.parametrize(
    ('channels', 'is_compiled'), [(12, False), (25, False), pytest.param(25, True, marks=COMPILER)]
)
def test_gradients_in_bf16_are_those_of_fp32(channels: int, is_compiled: bool) -> None:
    """With channels together in memory, oneDNN's are infinite for 25 channels."""
    compute = choose_compute('cpu', 'bf16')
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, channels, 30, 40, generator=generator)
    features = features.contiguous(memory_format=compute.memory_format)
    pyramid = SpatialPyramid(channels, 5 * channels)
    pyramid.to(memory_format=compute.memory_format)
    in_bf16 = compute.compiled(pyramid) if is_compiled else pyramid
    gradients = []
    for autocast, forward in (
        (torch.autocast('cpu', enabled=False), pyramid),
        (compute.autocast(), in_bf16),
    ):
        pyramid.zero_grad()
        with autocast:
            merged = forward(features)
        merged.float().square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in pyramid.parameters()]))  # type: ignore[union-attr]
    assert torch.norm(gradients[1] - gradients[0]) < 0.05 * torch.norm(gradients[0])
