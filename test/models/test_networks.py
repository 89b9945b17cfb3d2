"""What every network has to do; new architectures join the table."""

from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.exceptions import ModelError
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.registry import ARCHITECTURES, create_model
import torch

SMALL = {'alpha2': 1, 'alpha3': 1}
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ('espnet', {**SMALL}),
    ('espnet', {**SMALL, 'skip': 'reinforced_stem'}),
    ('espnet_c', {**SMALL}),
    ('espnet_b', {**SMALL}),
    ('espnet_a', {**SMALL}),
    ('espnetv2', {'scale': 0.5}),
    ('enet', {'variant': 'elab'}),
    ('enet', {'variant': 'davidtvs'}),
    ('enet', {'variant': 'davidtvs_2018'}),
    ('ndnet', {}),
    ('ndnet_fcn', {'backbone': 'ndnet61'}),
    ('erfnet', {}),
]
IDS = [f'{architecture}-{index}' for index, (architecture, _) in enumerate(NETWORKS)]
ESPNETS = [case for case in NETWORKS if 'alpha2' in case[1]]

# Of the authors' code; the papers print them in millions.
PARAMETERS = [
    ('espnet_c', {'classes': 20, 'alpha3': 3}, 187_529),
    ('espnet_c', {'classes': 20, 'alpha3': 5}, 252_297),
    ('espnet_c', {'classes': 20, 'alpha3': 8}, 349_449),
    ('espnet', {'classes': 20, 'alpha3': 3}, 202_649),
    ('espnet', {'classes': 20, 'alpha3': 5}, 267_417),
    ('espnet', {'classes': 20, 'alpha3': 8}, 364_569),
    ('espnet', {'classes': 20, 'alpha3': 8, 'skip': 'reinforced_stem'}, 365_109),
    ('espnet', {'classes': 12, 'alpha3': 8, 'skip': 'reinforced_stem'}, 354_517),
    ('enet', {'classes': 12, 'variant': 'elab'}, 363_856),
    ('enet', {'classes': 19, 'variant': 'elab'}, 364_311),
    ('enet', {'classes': 20, 'variant': 'elab'}, 364_376),
    ('enet', {'classes': 12, 'variant': 'davidtvs'}, 350_652),
    ('enet', {'classes': 20, 'variant': 'davidtvs'}, 351_804),
    ('enet', {'classes': 12, 'variant': 'davidtvs_2018'}, 359_780),
    ('ndnet', {'classes': 19}, 482_379),
    # Without the encoder's classifier of 2,580, which only its own training uses.
    ('erfnet', {'classes': 20}, 2_064_256),
]


def small(architecture: str, arguments: dict[str, Any], classes: int = 4) -> SegmentationNetwork:
    torch.manual_seed(0)
    return create_model(architecture, classes=classes, **arguments).eval()


@pytest.mark.parametrize('architecture,arguments', NETWORKS, ids=IDS)
def test_labels_supervise_the_result_and_espnets_encoder(
    architecture: str, arguments: dict[str, Any]
) -> None:
    network = small(architecture, arguments)
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        logits, *others = network.supervised_logits(image)
        assert torch.equal(logits, network(image))
        if architecture == 'espnet':
            assert torch.equal(others[0], network.encoder(image))
    assert len(others) == (architecture == 'espnet')


@pytest.mark.parametrize('architecture,arguments,expected', PARAMETERS)
def test_parameter_count_is_that_of_the_paper(
    architecture: str, arguments: dict[str, Any], expected: int
) -> None:
    network = create_model(architecture, **arguments)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_every_architecture_is_tested() -> None:
    assert {architecture for architecture, _ in NETWORKS} == set(ARCHITECTURES)


@torch.no_grad()
@pytest.mark.parametrize('architecture,arguments', NETWORKS, ids=IDS)
@pytest.mark.parametrize('classes', [2, 21])
@pytest.mark.parametrize('units', [(1, 1), (5, 8), (8, 3)])
def test_logits_have_a_channel_for_each_class_at_the_declared_size(
    architecture: str, arguments: dict[str, Any], classes: int, units: tuple[int, int]
) -> None:
    network = small(architecture, arguments, classes)
    size = tuple(count * network.size_multiple for count in units)
    logits = network(torch.zeros(2, 3, *size))
    stride = network.output_stride
    assert logits.shape == (2, classes, size[0] // stride, size[1] // stride)


@pytest.mark.parametrize('architecture,arguments', NETWORKS, ids=IDS)
def test_every_parameter_learns(architecture: str, arguments: dict[str, Any]) -> None:
    network = small(architecture, arguments).train()
    network(torch.randn(2, 3, 64, 64)).square().mean().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@pytest.mark.parametrize('architecture,arguments', ESPNETS)
def test_depths_are_the_modules_of_the_stages(
    architecture: str, arguments: dict[str, Any]
) -> None:
    network = create_model(architecture, **{**arguments, 'classes': 3, 'alpha2': 3, 'alpha3': 4})
    encoder = getattr(network, 'encoder', network)
    assert (len(encoder.stage2), len(encoder.stage3)) == (3, 4)


@pytest.mark.parametrize('architecture,arguments', ESPNETS)
def test_size_that_does_not_fit_is_refused_with_one_that_does(
    architecture: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r'multiples of 8, found 540x961.*to 544x968'):
        small(architecture, arguments)(torch.zeros(1, 3, 540, 961))


@pytest.mark.parametrize('shape', [(3, 8, 8), (1, 1, 8, 8), (1, 8, 8, 3), (1, 3, 0, 8)])
def test_tensor_that_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r'shape \(N, 3, H, W\), found'):
        small('espnet', SMALL)(torch.zeros(shape))


@pytest.mark.parametrize(
    'architecture,arguments',
    [
        pytest.param(*case, id=name, marks=() if case in ESPNETS else pytest.mark.long)
        for case, name in zip(NETWORKS, IDS, strict=True)
    ],
)
def test_shape_check_stays_out_of_the_exported_graph(
    architecture: str, arguments: dict[str, Any]
) -> None:
    network = small(architecture, arguments)
    image = torch.randn(1, 3, 64, 64)
    exported = torch.export.export(network, (image,), strict=False)
    called = {str(node.target) for node in exported.graph.nodes if node.op == 'call_function'}
    casts = {'aten._assert_tensor_metadata.default'}  # torch's own, before a change of type
    assert not [name for name in called - casts if 'assert' in name or 'sym_' in name]
    torch.testing.assert_close(exported.module()(image), network(image))


@pytest.mark.parametrize(
    'arguments,message',
    [
        ({'classes': 1}, 'at least 2 classes, found 1'),
        ({'classes': 20, 'alpha2': 0}, 'alpha2: expected at least 1 module, found 0'),
        ({'classes': 20, 'alpha3': -1}, 'alpha3: expected at least 1 module, found -1'),
        ({'classes': 20, 'skip': 'none'}, "one of stem, reinforced_stem, found 'none'"),
        ({'classes': 20, 'depth': 3}, 'depth'),
        ({}, 'classes'),
    ],
)
def test_arguments_that_build_nothing_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf'architecture espnet: .*{message}'):
        create_model('espnet', **arguments)


def test_unknown_architecture_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ModelError, match=r"of espnet, espnet_c.*, found 'unet'"):
        create_model('unet', classes=2)


@pytest.mark.parametrize(
    'backbone,expected',
    [('ndnet45', 379_896), ('ndnet61', 292_096), ('ndnet29', 492_016), ('ndnet29w', 3_308_216)],
)
def test_backbones_of_ndnet_have_the_parameters_of_its_authors(
    backbone: str, expected: int
) -> None:
    network = create_model('ndnet_fcn', classes=19, backbone=backbone)
    assert sum(parameter.numel() for parameter in network.backbone.parameters()) == expected


@pytest.mark.parametrize(
    'architecture,arguments,message',
    [
        ('enet', {'variant': 'caffe'}, "variant: expected one of elab, .*found 'caffe'"),
        ('ndnet', {'backbone': 'ndnet1'}, "backbone: expected one of ndnet45, .*found 'ndnet1'"),
        ('espnetv2', {'scale': 3.0}, 'scale: expected one of 0.5, .*found 3.0'),
    ],
)
def test_variant_that_there_is_not_is_refused(
    architecture: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        create_model(architecture, classes=4, **arguments)
