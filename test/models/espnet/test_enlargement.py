"""A decoder that starts as an enlargement passes the encoder's scores on."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.models.espnet import Espnet
from espnet_ros.models.espnet.encoder import FUSED2_CHANNELS, STEM_CHANNELS
from espnet_ros.models.espnet.enlargement import class_directions, start_as_enlargement
import torch
from torch import Tensor


def enlarged(network: Espnet, labels: Tensor) -> Tensor:
    """Return what the decoder makes of an encoder that is sure of these labels, (H, W)."""
    height, width = labels.shape
    scores = (
        3 * torch.nn.functional.one_hot(labels, network.classes).permute(2, 0, 1).float()[None]
    )
    fused2 = torch.zeros(1, FUSED2_CHANNELS, 2 * height, 2 * width)
    skip = torch.zeros(1, STEM_CHANNELS, 4 * height, 4 * width)
    with torch.no_grad():
        logits: Tensor = network.eval().decoder(scores, fused2, skip)
    return logits[0].argmax(dim=0)


@pytest.mark.parametrize(
    ('classes', 'style'),
    [
        (12, {}),
        (20, {}),
        (11, {}),
        (2, {}),
        (12, {'fusion': False}),
        (12, {'reduce_kernel': 3}),
        (20, {'branches': 6}),
        (12, {'activation': 'relu'}),
    ],
    ids=str,
)
@pytest.mark.parametrize('seed', range(3))
def test_the_scores_of_the_encoder_come_out_eight_times_as_large(
    classes: int, style: dict[str, Any], seed: int
) -> None:
    torch.manual_seed(seed)
    network = Espnet(classes, alpha2=1, alpha3=1, **style)
    labels = torch.arange(classes)[:, None].repeat_interleave(4, 0).expand(-1, 6)
    expected = labels.repeat_interleave(8, 0).repeat_interleave(8, 1)
    before = (enlarged(network, labels) == expected).float().mean()
    start_as_enlargement(network.decoder)
    after = (enlarged(network, labels) == expected).float().mean()
    assert before < 0.6
    assert after > 0.9


@pytest.mark.parametrize(
    ('classes', 'channels'), [(2, 1), (12, 2), (10, 2), (15, 3), (20, 4), (66, 13)]
)
def test_every_class_has_a_direction_of_its_own(classes: int, channels: int) -> None:
    directions = class_directions(classes, channels)
    assert directions is not None
    assert directions.shape == (classes, channels)
    alike = directions @ directions.T
    torch.testing.assert_close(alike.diagonal(), torch.ones(classes))
    assert (alike - 2 * torch.eye(classes)).max() < 0.99


def test_where_there_is_no_way_for_the_scores_the_weights_stay() -> None:
    assert class_directions(5, 1) is None
    network = Espnet(5, alpha2=1, alpha3=1)
    before = deepcopy(network.state_dict())
    start_as_enlargement(network.decoder)
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key
