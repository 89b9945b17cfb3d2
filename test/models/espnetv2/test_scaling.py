import pytest

pytest.importorskip('torch')
from espnet_ros.models.espnetv2.scaling import average_to
import torch
from torch.nn import functional


@pytest.mark.parametrize(
    'before,after',
    [
        ((32, 64), (16, 32)),
        ((24, 36), (16, 24)),
        ((24, 36), (24, 36)),
        ((32, 64), (5, 7)),
        ((35, 69), (23, 46)),
        ((2, 4), (5, 5)),
        ((64, 33), (32, 22)),
    ],
)
def test_average_is_the_adaptive_one_of_torch(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    image = torch.randn(2, 3, *before, generator=torch.Generator().manual_seed(1))
    expected = functional.adaptive_avg_pool2d(image, after)
    torch.testing.assert_close(average_to(image, after), expected)
