import pytest

pytest.importorskip('torch')
from espnet_ros.models.espnet.blocks import InputPyramid
from espnet_ros.models.espnet.esp_module import (
    branch_channels,
    EspDownsampler,
    EspModule,
    SpatialPyramid,
)
import torch
from torch import Tensor
from torch.nn import functional


def fused_by_hand(pyramid: SpatialPyramid, reduced: Tensor) -> Tensor:
    """Hierarchical feature fusion, written out from the paper's figure 1b."""
    d1, d2, d4, d8, d16 = (
        functional.conv2d(reduced, branch.weight, padding=dilation, dilation=dilation)
        for branch, dilation in zip(pyramid.branches, (1, 2, 4, 8, 16), strict=True)
    )
    return torch.cat([d1, d2, d2 + d4, d2 + d4 + d8, d2 + d4 + d8 + d16], dim=1)


def randomize(module: torch.nn.Module) -> torch.nn.Module:
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if 'running_var' in name else tensor.uniform_(-0.5, 0.5)
    return module.eval()


@pytest.mark.parametrize(
    'out_channels,expected', [(64, [16, 12, 12, 12, 12]), (128, [28, 25, 25, 25, 25])]
)
def test_undilated_branch_takes_the_channels_left_over(
    out_channels: int, expected: list[int]
) -> None:
    pyramid = SpatialPyramid(branch_channels(out_channels), out_channels)
    assert [branch.out_channels for branch in pyramid.branches] == expected


@pytest.mark.parametrize('out_channels', [2, 3, 4, 5, 12, 20])
def test_pyramid_has_any_number_of_output_channels(out_channels: int) -> None:
    pyramid = SpatialPyramid(branch_channels(out_channels), out_channels)
    features = torch.zeros(1, branch_channels(out_channels), 8, 8)
    assert pyramid(features).shape == (1, out_channels, 8, 8)


@torch.no_grad()
def test_pyramid_fuses_as_the_paper() -> None:
    torch.manual_seed(1)
    pyramid = randomize(SpatialPyramid(4, 20))
    reduced = torch.randn(2, 4, 40, 40)
    torch.testing.assert_close(pyramid(reduced), fused_by_hand(pyramid, reduced))


@torch.no_grad()
@pytest.mark.parametrize('residual', [True, False])
def test_esp_module_is_reduce_pyramid_residual_norm_act(residual: bool) -> None:
    torch.manual_seed(2)
    module = randomize(EspModule(20, 20, residual=residual))
    features = torch.randn(2, 20, 24, 24)
    merged = fused_by_hand(module.pyramid, functional.conv2d(features, module.reduce.weight))
    if residual:
        merged = merged + features
    norm, act = module.norm_act.norm, module.norm_act.act
    scale = norm.weight / torch.sqrt(norm.running_var + 1e-3)
    normed = (merged - norm.running_mean[:, None, None]) * scale[:, None, None]
    normed += norm.bias[:, None, None]
    expected = torch.where(normed > 0, normed, act.weight[:, None, None] * normed)
    torch.testing.assert_close(module(features), expected, rtol=1e-4, atol=1e-5)


def test_residual_between_different_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r'found 40 and 20'):
        EspModule(40, 20)


def test_block_without_output_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r'at least 1 output channel, found 0'):
        EspDownsampler(16, 0)


def test_downsampler_halves_the_size() -> None:
    downsampler = EspDownsampler(19, 64)
    assert downsampler.reduce.kernel_size == (3, 3)
    assert downsampler(torch.zeros(1, 19, 32, 48)).shape == (1, 64, 16, 24)


def test_input_pyramid_counts_the_zeros_of_the_padding() -> None:
    half, quarter = InputPyramid(2)(torch.ones(1, 3, 8, 8))
    assert half.shape == (1, 3, 4, 4)
    assert quarter.shape == (1, 3, 2, 2)
    assert half[0, 0, 0].tolist() == pytest.approx([4 / 9, 6 / 9, 6 / 9, 6 / 9])
    assert half[0, 0, 1, 1] == 1
