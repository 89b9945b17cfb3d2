from collections.abc import Callable
import hashlib
from pathlib import Path
import pickle
from typing import Any

import pytest

pytest.importorskip('torch')
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file.published import PUBLISHED, PublishedModel
from espnet_ros.models.checkpoints import load_checkpoint
from espnet_ros.models.enet.published_keys import published_enet_keys
from espnet_ros.models.espnet.published_keys import published_espnet_keys as published_keys
from espnet_ros.models.registry import create_model
import torch
from torch import Tensor

Published = dict[str, Tensor]


def published_state_dict(architecture: str = 'espnet', **arguments: Any) -> Published:
    torch.manual_seed(0)
    arguments = {'classes': 4, 'alpha2': 1, 'alpha3': 2, **arguments}
    network = create_model(architecture, **arguments)
    return {theirs: network.state_dict()[ours] for ours, theirs in published_keys(network).items()}


def save(content: Any, folder: Path) -> Path:
    path = folder / 'weights.pth'
    torch.save(content, path)
    return path


@pytest.mark.parametrize('published', PUBLISHED, ids=lambda model: model.name)
def test_published_checkpoint_loads_strictly(published: PublishedModel, shared_data: Path) -> None:
    path = shared_data / 'weights' / published.mirror_path
    checkpoint = load_checkpoint(path)
    network = checkpoint.build_network()
    assert checkpoint.sha256 == published.sha256
    assert path.stat().st_size == published.size_bytes
    assert checkpoint.classes == published.classes
    assert sum(parameter.numel() for parameter in network.parameters()) == published.parameters
    assert not network.training
    assert dict(checkpoint.architecture_arguments) == published_arguments(published)


def published_arguments(published: PublishedModel) -> dict[str, Any]:
    """Return what the file's name and its data set say of the network."""
    expected: dict[str, Any] = {'classes': published.classes}
    if published.origin.folder == 'enet':
        return {**expected, 'variant': 'davidtvs_2018'}
    if published.origin.folder == 'espnetv2':
        return {**expected, 'scale': float(published.file_name.split('_')[2])}
    expected |= {'alpha2': 2, 'alpha3': int(published.file_name.split('_q_')[1][0])}
    if not published.file_name.startswith('espnet_c'):
        camvid = published.training_set == 'CamVid'
        expected['skip'] = 'reinforced_stem' if camvid else 'stem'
    return expected


@pytest.mark.parametrize(
    'architecture,arguments',
    [
        ('espnet', {'skip': 'stem'}),
        ('espnet', {'skip': 'reinforced_stem'}),
        ('espnet', {'classes': 2, 'skip': 'stem'}),
        ('espnet_c', {'alpha2': 3, 'alpha3': 11}),
    ],
)
def test_network_is_inferred_from_the_tensors(
    architecture: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    content = published_state_dict(architecture, **arguments)
    checkpoint = load_checkpoint(save(content, tmp_path))
    assert checkpoint.architecture == architecture
    assert dict(checkpoint.architecture_arguments) == {
        'classes': 4,
        'alpha2': 1,
        'alpha3': 2,
        **arguments,
    }
    network = checkpoint.build_network()
    for ours, theirs in published_keys(network).items():
        assert torch.equal(network.state_dict()[ours], content[theirs])


@pytest.mark.parametrize(
    'wrap',
    [
        lambda content: {f'module.{key}': tensor for key, tensor in content.items()},
        lambda content: {'epoch': 3, 'state_dict': content, 'lr': 5e-4},
        lambda content: {**content, 'br.num_batches_tracked': torch.tensor(7)},
        lambda content: {key: tensor.half() for key, tensor in content.items()},
    ],
    ids=['data parallel', 'with optimiser', 'newer torch', 'half precision'],
)
def test_forms_that_training_scripts_save_are_read(
    wrap: Callable[[Published], Any], tmp_path: Path
) -> None:
    checkpoint = load_checkpoint(save(wrap(published_state_dict()), tmp_path))
    assert all(tensor.dtype == torch.float32 for tensor in checkpoint.state_dict.values())
    checkpoint.build_network()


@pytest.mark.parametrize('size_bytes', [0, 1, 1000, 100_000, 840_007])
def test_truncated_file_is_refused(size_bytes: int, shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / 'weights' / 'espnet' / 'espnet_p_2_q_3.pth').read_bytes()
    path = tmp_path / 'short.pth'
    path.write_bytes(data[:size_bytes])
    with pytest.raises(ModelError, match=r'short.pth: not a checkpoint of tensors, or damaged'):
        load_checkpoint(path)


def test_any_flipped_bytes_give_the_right_network_or_one_error(
    shared_data: Path, tmp_path: Path
) -> None:
    data = (shared_data / 'weights' / 'espnet' / 'espnet_p_2_q_3.pth').read_bytes()
    path = tmp_path / 'flipped.pth'
    refused = 0
    for seed in range(40):
        digest = hashlib.sha256(bytes([seed])).digest()
        damaged = bytearray(data)
        for index in range(0, 30, 3):
            damaged[int.from_bytes(digest[index : index + 2], 'big') % 20_000] = digest[index + 2]
        path.write_bytes(damaged)
        try:
            load_checkpoint(path).build_network()
        except ModelError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    'data', [b'', b'<html>404: Not Found</html>', b'\x89PNG\r\n\x1a\n' + bytes(64)]
)
def test_file_that_is_no_checkpoint_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'other.pth'
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r'other.pth: not a checkpoint'):
        load_checkpoint(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r'cannot be read .No such file'):
        load_checkpoint(tmp_path / 'none.pth')
    with pytest.raises(ModelError, match=r'cannot be read .Is a directory'):
        load_checkpoint(tmp_path)


class Exploit:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_code_in_a_checkpoint_is_not_executed(tmp_path: Path) -> None:
    path = tmp_path / 'evil.pth'
    path.write_bytes(pickle.dumps({'weights': Exploit(tmp_path / 'executed')}))
    with pytest.raises(ModelError, match=r'not a checkpoint'):
        load_checkpoint(path)
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize(
    'content', [{}, [1, 2], {'weight': 3}, {1: torch.zeros(1)}, torch.zeros(3)]
)
def test_content_that_is_no_state_dict_is_refused(content: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r'expected a state dict'):
        load_checkpoint(save(content, tmp_path))


def test_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    content = {'conv1.weight': torch.zeros(8, 3, 3, 3)}
    with pytest.raises(ModelError, match=r'one of ESPNet, ENet, ESPNetv2, found .* conv1.weight'):
        load_checkpoint(save(content, tmp_path))


def test_enet_of_today_is_read_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create_model('enet', classes=5, variant='davidtvs')
    tensors = network.state_dict()
    content = {theirs: tensors[ours] for ours, theirs in published_enet_keys(network).items()}
    checkpoint = load_checkpoint(save({'epoch': 3, 'state_dict': content}, tmp_path))
    assert dict(checkpoint.architecture_arguments) == {'classes': 5, 'variant': 'davidtvs'}
    rebuilt = checkpoint.build_network()
    image = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(rebuilt(image), network.eval()(image))


@pytest.mark.parametrize(
    'name,key',
    [
        ('enet/enet_camvid_davidtvs_921e40c1.pth', 'transposed_conv.weight'),
        ('espnetv2/espnetv2_s_0.5_city_1024x512.pth', 'base_net.level4_0.act.weight'),
        ('espnetv2/espnetv2_s_0.5_city_1024x512.pth', 'bu_br_l3.0.bias'),
        ('enet/enet_camvid_davidtvs_921e40c1.pth', 'regular2_5.out_prelu.weight'),
    ],
)
def test_missing_tensor_of_other_families_is_told(
    name: str, key: str, shared_data: Path, tmp_path: Path
) -> None:
    content = torch.load(shared_data / 'weights' / name, map_location='cpu', weights_only=True)
    del content[key]
    with pytest.raises(ModelError, match=rf'weights.pth: .*{key}'):
        load_checkpoint(save(content, tmp_path))


def without(key: str) -> Callable[[Published], Published]:
    return lambda content: {k: v for k, v in content.items() if k != key}


def with_tensor(key: str, tensor: Tensor) -> Callable[[Published], Published]:
    return lambda content: {**content, key: tensor}


@pytest.mark.parametrize(
    'damage,message',
    [
        (without('up_l2.1.bn.bias'), 'missing: up_l2.1.bn.bias; unknown: none'),
        (with_tensor('extra.weight', torch.zeros(1)), 'missing: none; unknown: extra.weight'),
        (with_tensor('br.weight', torch.zeros(9)), r'br.weight of shape \(4,\), found \(9,\)'),
        (with_tensor('br.weight', torch.full((4,), torch.nan)), 'br.weight holds values that'),
        (with_tensor('conv.conv.weight', torch.zeros(4, 30, 3, 3)), 'takes 16 or 19 .*found 26'),
        (with_tensor('encoder.classifier.conv.weight', torch.zeros(1, 256, 1, 1)), '1 classes'),
        (with_tensor('encoder.classifier.conv.weight', torch.zeros(4)), 'a convolution encoder'),
        (
            lambda content: {k: v for k, v in content.items() if 'level2.' not in k},
            '4 classes and 0 and 2 modules',
        ),
    ],
)
def test_damaged_state_dict_is_refused_by_name(
    damage: Callable[[Published], Published], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        load_checkpoint(save(damage(published_state_dict()), tmp_path))
