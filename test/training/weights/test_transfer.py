"""Starting from other weights."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.labels import load_label_set
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import CITYSCAPES, Normalization
from espnet_ros.training.weights.averaging import average_with
from espnet_ros.training.weights.states import load_weights, save_weights, TrainedWeights
from espnet_ros.training.weights.transfer import InitialWeights, read_initial_weights, transfer
import pytest
import torch

SMALL = {'classes': 12, 'alpha2': 1, 'alpha3': 1}


def make_weights() -> TrainedWeights:
    """Return fresh weights of a small network."""
    network = create_model('espnet', **SMALL)
    return TrainedWeights(
        'espnet',
        dict(SMALL),
        network.state_dict(),
        load_label_set('camvid'),
        Normalization((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)),
        {'training_set': 'a set', 'epoch': 3, 'training_images': 10, 'initial_weights': ''},
    )


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = make_weights()
    save_weights(tmp_path / 'best.pth', written)
    read = load_weights(tmp_path / 'best.pth')
    assert read.label_set == written.label_set
    assert read.normalization == written.normalization
    assert read.describe() == 'a set (3 epochs of 10 images)'
    assert len(read.sha256) == 64
    network = read.build_network()
    for key, tensor in written.state_dict.items():
        assert torch.equal(network.state_dict()[key], tensor)


def test_an_encoder_goes_into_a_network_with_a_decoder_and_back() -> None:
    encoder = create_model('espnet_c', **SMALL)
    whole = create_model('espnet', **SMALL)
    fresh_decoder = whole.state_dict()['decoder.up1.weight'].clone()
    transfer(encoder.state_dict(), whole)
    for key, tensor in encoder.state_dict().items():
        assert torch.equal(whole.state_dict()[f'encoder.{key}'], tensor)
    assert torch.equal(whole.state_dict()['decoder.up1.weight'], fresh_decoder)
    other = create_model('espnet_c', **SMALL)
    transfer(whole.state_dict(), other)
    assert torch.equal(
        other.state_dict()['stem.conv.weight'], encoder.state_dict()['stem.conv.weight']
    )


def test_weights_of_other_classes_keep_what_fits() -> None:
    source = create_model('espnet', classes=20, alpha2=1, alpha3=1)
    target = create_model('espnet', **SMALL)
    transfer(source.state_dict(), target)
    own, given = target.state_dict(), source.state_dict()
    assert torch.equal(own['encoder.stem.conv.weight'], given['encoder.stem.conv.weight'])
    assert own['encoder.classifier.weight'].shape[0] == 12


def test_weights_of_nothing_alike_are_refused() -> None:
    with pytest.raises(ModelError, match='some fit Espnet'):
        transfer({'other.weight': torch.zeros(3)}, create_model('espnet', **SMALL))


def test_published_weights_bring_their_normalisation(shared_data: Path) -> None:
    weights = read_initial_weights(shared_data / 'weights/espnet/espnet_p_2_q_8.pth')
    assert weights.normalization == CITYSCAPES.normalization
    assert weights.name == 'Cityscapes, as published (espnet_p_2_q_8.pth)'
    target = create_model('espnet', classes=12)
    fresh = transfer(weights.state_dict, target)
    stem = 'encoder.stem.conv.weight'
    shapes = {key: tensor.shape for key, tensor in weights.state_dict.items()}
    own = {key: tensor for key, tensor in target.state_dict().items() if tensor.ndim}
    assert fresh == [key for key, tensor in own.items() if tensor.shape != shapes[key]]
    assert 0 < len(fresh) < 50 < len(own)
    assert torch.equal(target.state_dict()[stem], weights.state_dict[stem])


@pytest.mark.parametrize('content', [b'', b'no tensors'])
def test_files_of_other_content_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'other.pth'
    path.write_bytes(content)
    for read in (load_weights, read_initial_weights):
        with pytest.raises(ModelError, match=r'other\.pth'):
            read(path)


def initial(weights: TrainedWeights) -> InitialWeights:
    """Return trained weights as those that another training begins as."""
    return InitialWeights(
        'what it was', weights.state_dict, weights.normalization, 'espnet', {'alpha2': 1}
    )


def test_an_average_lies_between_both_networks_and_says_so() -> None:
    ours, before = make_weights(), make_weights()
    found = average_with(ours, initial(before), 0.25)
    key = 'decoder.up1.weight'
    expected = 0.75 * ours.state_dict[key] + 0.25 * before.state_dict[key]
    assert torch.allclose(found.state_dict[key], expected)
    assert not torch.allclose(found.state_dict[key], ours.state_dict[key])
    assert found.record['averaged_with'] == {'weights': 'what it was', 'share': 0.25}
    assert found.build_network() is not None


def test_only_networks_of_one_kind_are_averaged() -> None:
    ours = make_weights()
    other = create_model('espnet', **SMALL | {'alpha3': 2})
    strange = InitialWeights('a larger one', other.state_dict(), ours.normalization)
    with pytest.raises(ConfigError, match='average with a larger one: expected a network with'):
        average_with(ours, strange, 0.5)
    with pytest.raises(ConfigError, match='expected 0 to 1, found 30'):
        average_with(ours, initial(make_weights()), 30)
