from espnet_ros.exceptions import ModelError
from espnet_ros.labels import load_label_set
from espnet_ros.models.training_sets import (
    CAMVID,
    CITYSCAPES,
    Normalization,
    training_set_of,
    TRAINING_SETS,
)
import pytest


@pytest.mark.parametrize('classes,expected', [(20, CITYSCAPES), (12, CAMVID)])
def test_training_set_is_known_by_its_classes(classes: int, expected: object) -> None:
    assert training_set_of(classes) == expected


def test_unknown_number_of_classes_is_refused() -> None:
    with pytest.raises(ModelError, match=r'20 .Cityscapes. or 12 .CamVid. classes.*found 19'):
        training_set_of(19)


@pytest.mark.parametrize('architecture', ['espnetv2', 'enet'])
def test_other_families_take_red_first(architecture: str) -> None:
    normalization = training_set_of(20, architecture).normalization
    assert normalization.channel_order == 'rgb'
    white = [
        (255 - mean) / std / 255
        for mean, std in zip(normalization.mean_bgr, normalization.std_bgr, strict=True)
    ]
    expected = {'enet': [1, 1, 1], 'espnetv2': [2.64, 2.4286, 2.2489]}[architecture]
    assert white == pytest.approx(expected, abs=1e-4)


def test_unknown_channel_order_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one of bgr, rgb, found 'gbr'"):
        Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 'gbr')


@pytest.mark.parametrize('training_set', TRAINING_SETS, ids=lambda entry: entry.name)
def test_label_set_has_the_classes_of_the_training_set(training_set: object) -> None:
    label_set = load_label_set(training_set.label_set)
    assert len(label_set.classes) == training_set.classes
    assert label_set.void_id == training_set.classes - 1


@pytest.mark.parametrize(
    'mean,std,message',
    [
        ((0.0, 0.0), (1.0, 1.0, 1.0), 'of blue, green and red'),
        ((0.0, 0.0, 0.0), (1.0, 0.0, 1.0), 'deviations above 0'),
        ((0.0, 0.0, 0.0), (1.0, float('nan'), 1.0), 'deviations above 0'),
    ],
)
def test_statistics_that_cannot_normalise_are_refused(
    mean: tuple[float, ...], std: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Normalization(mean, std)
