"""What driving over a class costs, in the files and in groups."""

from __future__ import annotations

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import (
    completed_by_shipped,
    LabelClass,
    LabelSet,
    load_label_set,
    parse_grouping,
    shipped_label_sets,
)
import pytest
from street_label_sets import street_label_sets

from ..conftest import ROOT

TEMPLATE = str(ROOT / 'config' / 'labels_template.yaml')


@pytest.mark.parametrize('name', ['camvid', 'categories', 'cityscapes', TEMPLATE])
def test_every_file_of_streets_costs_what_stands_and_leaves_the_sky_without_a_cost(name):
    label_set = load_label_set(name)
    by_name = {entry.name: entry for entry in label_set.classes}
    assert by_name['sky'].cost is None
    assert by_name['void'].cost is None
    assert {entry.cost for entry in label_set.classes if not entry.is_flat} == {100}
    assert any(entry.is_flat and entry.cost is not None for entry in label_set.classes)


@pytest.mark.parametrize('name', [*shipped_label_sets(), TEMPLATE])
def test_costs_survive_the_way_through_a_model_file(name):
    label_set = load_label_set(name)
    assert LabelSet.from_dict(label_set.to_dict(), name) == label_set


def test_roads_are_free_and_people_are_not():
    classes = {entry.name: entry for entry in load_label_set('cityscapes').classes}
    costs = {name: classes[name].cost for name in ('road', 'sidewalk', 'terrain', 'person')}
    assert costs == {'road': 0, 'sidewalk': 40, 'terrain': 70, 'person': 100}


def test_a_file_without_costs_stays_valid():
    content = {'name': 'old', 'classes': [{'name': 'road', 'color': [1, 2, 3]}]}
    label_set = LabelSet.from_dict(content, 'old.yaml')
    assert label_set.classes == (LabelClass('road', (1, 2, 3)),)
    assert label_set.to_dict() == content


def test_a_group_costs_what_its_worst_class_costs():
    label_set = load_label_set(TEMPLATE)
    groups = (('drivable', ('road', 'grass')), ('wet', ('water',)), ('none', ('sky', 'void')))
    drivable, wet, nothing = label_set.grouped(groups).classes
    assert (drivable.cost, drivable.is_flat) == (60, True)
    assert (wet.cost, wet.is_flat) == (100, True)
    assert nothing.cost is None


@pytest.mark.parametrize(
    'broken', [{'cost': 101}, {'cost': -1}, {'cost': True}, {'cost': 'low'}, {'flat': 'yes'}]
)
def test_a_wrong_cost_names_the_class_and_what_is_allowed(broken):
    content = {'name': 'x', 'classes': [{'name': 'road', 'color': [1, 2, 3], **broken}]}
    with pytest.raises(ConfigError, match="class 'road': expected a cost of 0 to 100"):
        LabelSet.from_dict(content, 'x.yaml')


def test_a_set_without_costs_takes_those_of_the_shipped_one():
    shipped = load_label_set('camvid')
    content = shipped.to_dict()
    for entry in content['classes']:
        entry.pop('cost', None)
    old = LabelSet.from_dict(content, 'old model file')
    assert completed_by_shipped(old) == shipped
    assert completed_by_shipped(shipped) == shipped
    other = LabelSet.from_names(('road',), name='camvid')
    assert completed_by_shipped(other) == other


def test_a_set_keeps_its_own_costs_and_takes_the_groupings_that_it_lacks():
    shipped = load_label_set('camvid')
    content = shipped.to_dict()
    content['classes'][4]['cost'] = 7
    content['groupings'] = {'categories': {'all': ['road']}}
    found = completed_by_shipped(LabelSet.from_dict(content, 'old model file'))
    assert found.classes[4].cost == 7
    groupings = dict(found.groupings)
    assert groupings['categories'] == (('all', ('road',)),)
    assert groupings['roles'] == dict(shipped.groupings)['roles']


@pytest.mark.parametrize('name', street_label_sets())
def test_every_street_set_has_the_same_four_roles(name):
    label_set = load_label_set(name)
    grouping = parse_grouping('roles', label_set)
    grouped = label_set.grouped(grouping)
    assert grouped.names == ('road', 'sidewalk', 'rough', 'obstacle')
    members = {member for _, classes in grouping for member in classes}
    without = set(label_set.names) - members
    assert without <= {'sky', 'void', 'background'}
    assert grouped.classes[3].cost == (None if name == 'pascal_voc' else 100)


def test_a_group_of_classes_that_cost_nothing_known_says_nothing_of_the_ground():
    sky = LabelSet('x', (LabelClass('sky', (1, 2, 3)), LabelClass('road', (4, 5, 6), cost=0)))
    above, ground = sky.grouped((('above', ('sky',)), ('ground', ('road',)))).classes
    assert (above.cost, above.flat) == (None, None)
    assert (ground.cost, ground.flat) == (0, True)


def test_a_group_is_flat_only_where_all_of_its_classes_are():
    mixed = LabelSet(
        'x',
        (
            LabelClass('road', (1, 1, 1), cost=0),
            LabelClass('kerb', (2, 2, 2), cost=60),
            LabelClass('wall', (3, 3, 3), cost=100),
        ),
    )
    grouping = (('low', ('road', 'kerb')), ('any', ('wall',)))
    low, high = mixed.grouped(grouping).classes
    assert (low.cost, low.is_flat) == (60, True)
    assert (high.cost, high.is_flat) == (100, False)
    (together,) = mixed.grouped((('all', ('road', 'wall')),)).classes
    assert (together.cost, together.is_flat) == (100, False)


def test_a_set_of_ones_own_is_left_as_it_is():
    own = LabelSet.from_names(('road', 'sky'), name='my_yard')
    assert completed_by_shipped(own) is own
