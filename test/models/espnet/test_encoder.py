"""The parameter numbers of the paper's Table 2, which prints them cut to three digits."""

from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.exceptions import ModelError
from espnet_ros.models.registry import create_model
import torch

TABLE_2: list[tuple[str, dict[str, Any], str, int]] = [
    ('espnet_a', {'branches': 2}, '0.358', 358_928),
    ('espnet_a', {'branches': 4}, '0.215', 215_568),
    ('espnet_a', {}, '0.183', 183_568),
    ('espnet_a', {'branches': 6}, '0.165', 165_648),
    ('espnet_a', {'branches': 7}, '0.152', 152_848),
    ('espnet_a', {'branches': 8}, '0.143', 143_888),
    ('espnet_a', {'downsampling': 'convolution'}, '0.274', 274_000),
    ('espnet_a', {'fusion': False}, '0.183', 183_568),
    ('espnet_a', {'residual': False}, '0.183', 183_568),
    ('espnet_b', {}, '0.186', 186_512),
    ('espnet_c', {}, '0.187', 187_529),
    ('espnet_c', {'reduce_kernel': 3}, '0.276', 276_617),
    ('espnet_c', {'dilated': False}, '0.187', 187_529),
]


@pytest.mark.parametrize('architecture,style,printed,expected', TABLE_2)
def test_parameters_are_those_of_table_2(
    architecture: str, style: dict[str, Any], printed: str, expected: int
) -> None:
    network = create_model(architecture, classes=20, alpha2=2, alpha3=3, **style)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == expected
    assert f'{parameters // 1000 / 1000:.3f}' == printed


@pytest.mark.parametrize(
    'style',
    [
        {'fusion': False},
        {'residual': False},
        {'dilated': False},
        {'activation': 'relu'},
        {'downsampling': 'convolution'},
        {'reduce_kernel': 3},
        {'branches': 8},
        *({'module': name} for name in ('mobilenet', 'shufflenet', 'inception', 'resnext')),
        {'module': 'resnet'},
    ],
    ids=lambda style: '-'.join(map(str, *style.items())),
)
@pytest.mark.parametrize('architecture', ['espnet', 'espnet_c'])
def test_every_choice_changes_the_answer_and_every_parameter_learns(
    architecture: str, style: dict[str, Any]
) -> None:
    image = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    networks = []
    for chosen in (style, {}):
        torch.manual_seed(0)
        networks.append(create_model(architecture, classes=4, alpha2=1, alpha3=1, **chosen))
    logits, published = (network(image) for network in networks)
    assert logits.shape == published.shape
    assert not torch.allclose(logits, published)
    logits.square().mean().backward()
    without = [n for n, p in networks[0].named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@pytest.mark.parametrize(
    'style,message',
    [
        ({'module': 'vgg'}, "module: expected one of esp, mobilenet, .*found 'vgg'"),
        ({'activation': 'gelu'}, "one of prelu, relu, found 'gelu'"),
        ({'downsampling': 'pool'}, "one of esp, convolution, found 'pool'"),
        ({'reduce_kernel': 5}, 'one of 1, 3, found 5'),
        ({'branches': 9}, 'expected 1 to 8, found 9'),
        ({'branches': 0}, 'expected 1 to 8, found 0'),
        ({'dropout': 0.1}, 'dropout'),
    ],
)
def test_choice_that_there_is_not_is_refused(style: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf'architecture espnet_c: .*{message}'):
        create_model('espnet_c', classes=4, **style)
