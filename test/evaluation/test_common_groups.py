"""Scoring across label sets by the groups that both have."""

from __future__ import annotations

from espnet_ros.evaluation.common_groups import common_groups, shared_groupings
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import load_label_set
import pytest

CAMVID, CITYSCAPES, CATEGORIES, VOC = (
    load_label_set(name) for name in ('camvid', 'cityscapes', 'categories', 'pascal_voc')
)


def test_shipped_label_sets_share_their_groupings() -> None:
    assert set(shared_groupings(CAMVID, CITYSCAPES)) == {'camvid', 'categories', 'roles'}
    assert set(shared_groupings(VOC, CITYSCAPES)) == {'roles'}


def test_ids_of_both_sets_become_the_same_groups() -> None:
    groups = common_groups(CAMVID, CITYSCAPES, 'categories')
    names = groups.label_set.names
    for name, group in (('road', 'flat'), ('car', 'vehicle')):
        assert names[groups.of_truth[CAMVID.id_of(name)]] == group
        assert names[groups.of_model[CITYSCAPES.id_of(name)]] == group
    assert CAMVID.void_id is not None
    assert groups.of_truth[CAMVID.void_id] == groups.of_truth[255] == 255


def test_a_set_of_categories_is_its_own_grouping() -> None:
    groups = common_groups(CATEGORIES, CITYSCAPES, 'categories')
    names = groups.label_set.names
    assert names[groups.of_truth[CATEGORIES.id_of('sky')]] == 'sky'
    assert names[groups.of_model[CITYSCAPES.id_of('sky')]] == 'sky'


def test_a_grouping_that_one_has_not_is_refused_with_those_that_both_have() -> None:
    with pytest.raises(ConfigError, match='share, found roles'):
        common_groups(VOC, CITYSCAPES, 'categories')
