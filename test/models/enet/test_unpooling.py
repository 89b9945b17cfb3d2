import pytest

pytest.importorskip('torch')
from espnet_ros.models.enet.unpooling import MaxPooling, MaxUnpooling
import torch
from torch import Tensor
from torch.nn import functional


def features(kind: str) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    if kind == 'equal maxima':
        return torch.randint(0, 3, (2, 3, 16, 24), generator=generator).float()
    return torch.randn(2, 3, 16, 24, generator=generator)


@pytest.mark.parametrize('kernel', [2, 3])
@pytest.mark.parametrize('kind', ['noise', 'equal maxima'])
def test_pooling_and_unpooling_are_exactly_those_of_torch(kernel: int, kind: str) -> None:
    image = features(kind)
    pooled, indices = functional.max_pool2d(
        image, kernel, stride=2, padding=kernel - 2, return_indices=True
    )
    ours = MaxPooling(kernel)(image)
    assert torch.equal(ours.features, pooled)
    values = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(4))
    expected = functional.max_unpool2d(values, indices, 2, output_size=image.shape[2:])
    assert torch.equal(MaxUnpooling(kernel)(values, ours.places), expected)


@pytest.mark.parametrize('kernel', [2, 3])
def test_gradient_goes_to_the_maxima(kernel: int) -> None:
    image = features('noise').requires_grad_()
    MaxPooling(kernel)(image).features.sum().backward()
    found = image.grad
    image.grad = None
    functional.max_pool2d(image, kernel, stride=2, padding=kernel - 2).sum().backward()
    assert torch.equal(found, image.grad)
