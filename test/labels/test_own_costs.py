"""Costs of one's own, by class name."""

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelClass, LabelSet, load_label_set, parse_costs, with_costs
import pytest

CAMVID = load_label_set('camvid')


def test_entries_are_a_class_and_a_number():
    assert parse_costs(('pavement=20', ' traffic light = 100 ', '')) == {
        'pavement': 20,
        'traffic light': 100,
    }
    assert parse_costs(('',)) == {}


@pytest.mark.parametrize(
    'entry', ['pavement', 'pavement=', '=20', 'pavement=101', 'pavement=-1', 'pavement=2.5',
              'pavement=much']
)  # fmt: skip
def test_an_entry_of_another_form_is_refused(entry):
    with pytest.raises(ConfigError, match='"class=number" with a number of 0 to 100'):
        parse_costs((entry,))


def test_a_class_that_is_named_twice_is_refused():
    with pytest.raises(ConfigError, match="'road' twice"):
        parse_costs(('road=1', 'road=1'))


def changed(name, cost, label_set=CAMVID):
    entry = with_costs(label_set, {name: cost}).classes[label_set.id_of(name)]
    return entry.cost, entry.is_flat


def test_a_class_stays_flat_or_upright_as_it_was():
    assert changed('pavement', 100) == (100, True)
    assert changed('car', 50) == (50, False)


def test_a_class_without_a_cost_takes_its_flatness_from_the_cost():
    bare = LabelSet('bare', (LabelClass('lawn', (0, 0, 0)), LabelClass('hut', (0, 0, 0))))
    assert changed('lawn', 30, bare) == (30, True)
    assert changed('hut', 100, bare) == (100, False)
    told = LabelSet('told', (LabelClass('lake', (0, 0, 0), None, True),))
    assert changed('lake', 100, told) == (100, True)


def test_other_classes_and_the_rest_of_the_set_are_kept():
    found = with_costs(CAMVID, {'road': 7})
    assert (found.name, found.void_id, found.groupings) == (
        CAMVID.name, CAMVID.void_id, CAMVID.groupings,
    )  # fmt: skip
    different = [n for n, a, b in zip(CAMVID.names, CAMVID.classes, found.classes, strict=True)
                 if a != b]  # fmt: skip
    assert different == ['road']


def test_an_unknown_class_and_the_void_class_are_refused():
    with pytest.raises(ConfigError, match=r"costs: label set 'camvid' has no class 'lake'"):
        with_costs(CAMVID, {'lake': 1})
    with pytest.raises(ConfigError, match='which is the void class'):
        with_costs(CAMVID, {'void': 1})
