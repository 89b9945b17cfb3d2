"""Where training runs."""

from __future__ import annotations

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.models.espnet.esp_module import SpatialPyramid
from espnet_ros.training.devices import choose_compute
import pytest
import torch


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


@pytest.mark.parametrize('channels', [12, 25])
def test_gradients_in_bf16_are_those_of_fp32(channels: int) -> None:
    """With channels together in memory, oneDNN's are infinite for 25 channels."""
    compute = choose_compute('cpu', 'bf16')
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4, channels, 30, 40, generator=generator)
    features = features.contiguous(memory_format=compute.memory_format)
    pyramid = SpatialPyramid(channels, 5 * channels)
    pyramid.to(memory_format=compute.memory_format)
    gradients = []
    for autocast in (torch.autocast('cpu', enabled=False), compute.autocast()):
        pyramid.zero_grad()
        with autocast:
            merged = pyramid(features)
        merged.float().square().mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in pyramid.parameters()]))  # type: ignore[union-attr]
    assert torch.norm(gradients[1] - gradients[0]) < 0.05 * torch.norm(gradients[0])
