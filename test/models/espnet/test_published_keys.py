from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.models.espnet.published_keys import published_espnet_keys as published_keys
from espnet_ros.models.registry import create_model

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ('espnet', {'classes': 20}),
    ('espnet', {'classes': 12, 'skip': 'reinforced_stem'}),
    ('espnet', {'classes': 3, 'alpha2': 1, 'alpha3': 11}),
    ('espnet_c', {'classes': 20}),
]


@pytest.mark.parametrize('architecture,arguments', NETWORKS)
def test_map_is_total_and_one_to_one(architecture: str, arguments: dict[str, Any]) -> None:
    network = create_model(architecture, **arguments)
    keys = published_keys(network)
    counters = {key for key in network.state_dict() if key.endswith('num_batches_tracked')}
    assert set(keys) == set(network.state_dict()) - counters
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    'ours,theirs',
    [
        ('encoder.stem.conv.weight', 'encoder.level1.conv.weight'),
        ('encoder.down2.reduce.weight', 'encoder.level2_0.c1.conv.weight'),
        ('encoder.down2.norm_act.norm.running_var', 'encoder.level2_0.bn.running_var'),
        ('encoder.stage3.7.pyramid.branches.4.weight', 'encoder.level3.7.d16.conv.weight'),
        ('encoder.stage3.7.norm_act.act.weight', 'encoder.level3.7.bn.act.weight'),
        ('decoder.up3.weight', 'up_l3.0.weight'),
        ('decoder.merge1.norm.bias', 'conv.bn.bias'),
        ('decoder.up1.weight', 'classifier.weight'),
    ],
)
def test_key_of_the_authors(ours: str, theirs: str) -> None:
    assert published_keys(create_model('espnet', classes=20))[ours] == theirs
