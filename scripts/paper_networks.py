"""
The networks of the papers as they print them, each with what is to be known of it.

Parameters and operations are counted, not copied; what a paper prints stands beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from espnet_ros.models.base import IMAGE_CHANNELS, SegmentationNetwork
from espnet_ros.models.registry import create_model
import torch
from torch.utils.flop_counter import FlopCounterMode

ESPNET_PAPER = 'Mehta et al., ECCV 2018'
ESPNETV2_PAPER = 'Mehta et al., CVPR 2019'
ENET_PAPER = 'Paszke et al., arXiv 1606.02147'
NDNET_PAPER = 'Yang et al., IEEE T-ITS 2020'
ERFNET_PAPER = 'Romera et al., IEEE T-ITS 2018'


@dataclass(frozen=True)
class PaperNetwork:
    """
    A network of a paper.

    :param architecture: key of the model registry
    :param arguments: what builds it, without the number of classes
    :param paper: where it is from
    :param classes: classes that its paper has it predict, void included
    :param input_size: (height, width) in pixels that its paper evaluates it at
    :param printed_parameters: in millions, as printed; empty where they are not
    :param printed_accuracy: as printed, with data set and split; empty where it is not
    :param weights: published weights by name, see :mod:`espnet_ros.model_file.published`
    """

    name: str
    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ESPNET_PAPER
    classes: int = 20
    input_size: tuple[int, int] = (512, 1024)
    printed_parameters: str = ''
    printed_accuracy: str = ''
    weights: tuple[str, ...] = ()

    def build(self) -> SegmentationNetwork:
        return create_model(self.architecture, classes=self.classes, **self.arguments)


def parameter_count(network: SegmentationNetwork) -> int:
    """Return the number of parameters that training changes."""
    return sum(parameter.numel() for parameter in network.parameters())


def mac_count(network: SegmentationNetwork, size: tuple[int, int]) -> int:
    """
    Return the multiplications with an addition of one image.

    Convolutions and matrix products count, as in the papers; nothing is computed.
    """
    network = network.to('meta').eval()
    image = torch.empty(1, IMAGE_CHANNELS, *size, device='meta')
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return int(counter.get_total_flops()) // 2


def _espnets() -> tuple[PaperNetwork, ...]:
    printed = {8: '0.364', 5: '0.267', 3: '0.202'}
    encoder = {8: '0.349', 5: '0.252', 3: '0.187'}
    accuracy = {8: 'Cityscapes test 60.3'}
    return (
        *(
            PaperNetwork(
                f'ESPNet, alpha3 = {depth}',
                'espnet',
                {'alpha3': depth},
                printed_parameters=printed[depth],
                printed_accuracy=accuracy.get(depth, ''),
                weights=(f'espnet_p2_q{depth}_cityscapes',),
            )
            for depth in printed
        ),
        PaperNetwork(
            'ESPNet, alpha3 = 8, CamVid',
            'espnet',
            {'alpha3': 8, 'skip': 'reinforced_stem'},
            classes=12,
            input_size=(360, 480),
            printed_accuracy='CamVid test 55.64',
            weights=('espnet_p2_q8_camvid',),
        ),
        *(
            PaperNetwork(
                f'ESPNet-C, alpha3 = {depth}',
                'espnet_c',
                {'alpha3': depth},
                printed_parameters=encoder[depth],
                weights=(f'espnet_c_p2_q{depth}_cityscapes',),
            )
            for depth in encoder
        ),
        PaperNetwork('ESPNet-B', 'espnet_b', {'alpha3': 3}, printed_parameters='0.186'),
        PaperNetwork('ESPNet-A', 'espnet_a', {'alpha3': 3}, printed_parameters='0.183'),
    )


def _alternatives() -> tuple[PaperNetwork, ...]:
    names = {
        'mobilenet': 'MobileNet',
        'shufflenet': 'ShuffleNet',
        'inception': 'Inception',
        'resnext': 'ResNeXt',
        'resnet': 'ResNet',
    }
    return tuple(
        PaperNetwork(f'ESPNet-C of {name} modules', 'espnet_c', {'alpha3': 3, 'module': module})
        for module, name in names.items()
    )


def _espnetv2s() -> tuple[PaperNetwork, ...]:
    accuracy = {2.0: '66.4', 1.5: '63.8', 1.0: '60.1', 0.5: '53.9'}
    printed = {2.0: '0.79', 1.5: '0.47', 1.0: '0.23', 0.5: '0.08'}
    return tuple(
        PaperNetwork(
            f'ESPNetv2, scale {scale}',
            'espnetv2',
            {'scale': scale},
            paper=ESPNETV2_PAPER,
            printed_parameters=printed[scale],
            printed_accuracy=f'Cityscapes val {accuracy[scale]}',
            weights=(f'espnetv2_s{str(scale).replace(".", "_")}_cityscapes',),
        )
        for scale in accuracy
    )


PAPER_NETWORKS: tuple[PaperNetwork, ...] = (
    *_espnets(),
    *_alternatives(),
    *_espnetv2s(),
    PaperNetwork(
        'ENet',
        'enet',
        {'variant': 'elab'},
        paper=ENET_PAPER,
        printed_parameters='0.364',
        printed_accuracy='Cityscapes test 58.3',
    ),
    PaperNetwork(
        'ENet of 2018 in torch, CamVid',
        'enet',
        {'variant': 'davidtvs_2018'},
        paper=ENET_PAPER,
        classes=12,
        input_size=(360, 480),
        printed_accuracy='CamVid test 51.3',
        weights=('enet_camvid',),
    ),
    PaperNetwork(
        'NDNet45, encoder and decoder',
        'ndnet',
        paper=NDNET_PAPER,
        classes=19,
        input_size=(1024, 2048),
        printed_parameters='0.50',
        printed_accuracy='Cityscapes test 65.3',
    ),
    *(
        PaperNetwork(
            f'{backbone.replace("ndn", "NDN")}, FCN32',
            'ndnet_fcn',
            {'backbone': backbone},
            paper=NDNET_PAPER,
            classes=19,
            input_size=(1024, 2048),
        )
        for backbone in ('ndnet45', 'ndnet61', 'ndnet29', 'ndnet29w')
    ),
    PaperNetwork(
        'ERFNet',
        'erfnet',
        paper=ERFNET_PAPER,
        printed_parameters='2.06',
        printed_accuracy='Cityscapes test 68.0',
    ),
)
