"""Recipes are data, and changed by name."""

from __future__ import annotations

import json

from espnet_ros.exceptions import ConfigError
from espnet_ros.training.recipes import find_recipe, RECIPES
import pytest


def test_the_papers_recipe_is_that_of_the_paper() -> None:
    encoder, decoder = find_recipe('paper').stages
    assert [encoder.architecture, decoder.architecture] == ['espnet_c', 'espnet']
    assert [encoder.full_size_labels, decoder.full_size_labels] == [False, True]
    for stage in (encoder, decoder):
        assert [stage.optimizer, stage.learning_rate, stage.weight_decay] == ['adam', 5e-4, 5e-4]
        assert [stage.schedule, stage.halving_epochs] == ['halving', 100]
        assert stage.loss.weighted
        assert stage.augmentation.mirror


def test_the_modern_recipe_without_its_encoder_is_its_last_stage() -> None:
    recipe = find_recipe('modern')
    encoder, network = recipe.stages
    assert [encoder.architecture, network.architecture] == ['espnet_c', 'espnet']
    assert recipe.for_network('espnet', has_weights=True).stages == (network,)
    assert recipe.for_network('espnet', has_weights=False).stages == (encoder, network)
    assert network.enlarging_start
    assert network.loss.auxiliary > 0


def test_values_reach_stage_augmentation_and_loss() -> None:
    changed = find_recipe('paper').changed(
        epochs=3, crop=(32, 64), mirror=False, dice=0.5, batch_size=None
    )
    for before, after in zip(find_recipe('paper').stages, changed.stages, strict=True):
        assert after.epochs == 3
        assert after.batch_size == before.batch_size
        assert after.augmentation.crop == (32, 64)
        assert not after.augmentation.mirror
        assert after.loss.dice == 0.5
        assert after.loss.void == before.loss.void


@pytest.mark.parametrize('name', RECIPES)
def test_a_recipe_can_be_recorded(name: str) -> None:
    record = json.loads(json.dumps(find_recipe(name).to_dict()))
    assert record['name'] == name
    assert record['stages'][-1]['architecture'] == 'espnet'


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'epochs': 0}, 'epochs: expected above 0'),
        ({'optimizer': 'magic'}, 'optimizer: expected one of'),
        ({'hard_share': 0.0}, 'hard_share: expected above 0'),
        ({'average_decay': 1.0}, 'average_decay: expected'),
        ({'void': 'guess'}, 'void: expected one of'),
        ({'dice': -1.0}, 'dice: expected 0 or more'),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_recipe('modern').changed(**values)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(ConfigError, match='expected one of paper, modern'):
        find_recipe('other')
