"""What ids mean is looked up by the stamp of the mask, and never assumed."""

import pytest
from street_label_sets import street_label_sets

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelClass, LabelSet, load_label_set
from espnet_ros.nodes.free_space.synchronization.meaning import (
    check_meaning,
    HeardSet,
    LabelSetHistory,
    MeaningSource,
)
from espnet_ros.nodes.free_space.synchronization.stamp_queue import PendingError

CAMVID, CITYSCAPES = (HeardSet(load_label_set(name), name) for name in ('camvid', 'cityscapes'))
ROAD = CAMVID.label_set.id_of('road')
PAVEMENT = CAMVID.label_set.id_of('pavement')


def source(publishers=0, **settings):
    values = FreeSpaceSettings(**settings)
    return MeaningSource('/mask_maker/label_set', lambda: publishers, lambda: values)


def heard(meaning_source, *sets):
    for stamp_ns, label_set in sets:
        meaning_source.history.hear(stamp_ns, label_set)
    return meaning_source


def test_a_mask_has_the_newest_set_that_is_not_of_later_images():
    history = LabelSetHistory()
    history.hear(0, CAMVID)
    history.hear(50, CITYSCAPES)
    assert [history.at(t) for t in (0, 49, 50, 99)] == [CAMVID, CAMVID, CITYSCAPES, CITYSCAPES]


def test_no_set_tells_of_images_before_the_first():
    history = LabelSetHistory()
    assert history.at(5) is None
    history.hear(10, CAMVID)
    assert history.at(9) is None


def test_a_set_of_earlier_images_drops_the_later_ones():
    history = LabelSetHistory()
    history.hear(10, CAMVID)
    history.hear(50, CITYSCAPES)
    history.hear(20, CAMVID)
    assert history.at(99) is CAMVID
    history.hear(0, CITYSCAPES)
    assert history.at(15) is CITYSCAPES


def test_a_repetition_changes_nothing():
    meanings = heard(source(), (0, CAMVID), (50, CITYSCAPES))
    before = meanings.at(10), meanings.at(60)
    heard(meanings, (50, HeardSet(load_label_set('cityscapes'), 'cityscapes')))
    assert meanings.at(60).label_set == before[1].label_set
    assert meanings.at(10).label_set == before[0].label_set
    assert meanings.at(10) is meanings.at(20), 'tables are made once'


def test_a_history_is_bounded():
    history = LabelSetHistory()
    for stamp in range(1000):
        history.hear(stamp, CAMVID if stamp % 2 else CITYSCAPES)
    assert history.at(999) is CAMVID
    assert history.first_ns > 900


def test_nothing_is_known_before_a_set_is_heard():
    with pytest.raises(PendingError, match=r'/mask_maker/label_set, found nothing \(no publisher'):
        source().at(5)
    late = heard(source(), (10 * 10**9, CAMVID))
    with pytest.raises(PendingError, match=r'images from 10.000 on'):
        late.at(5 * 10**9)


def test_costs_and_the_unlabelled_id_come_with_the_set():
    meaning = heard(source(), (0, CAMVID)).at(5)
    assert meaning.costs.cost[[ROAD, PAVEMENT]].tolist() == [0, 40]
    assert (meaning.label_set.name, meaning.model) == ('camvid', 'camvid')
    assert meaning.origin == 'topic /mask_maker/label_set'
    other = HeardSet(CAMVID.label_set, unlabelled_id=PAVEMENT)
    meaning = heard(source(), (0, other)).at(5)
    assert meaning.costs.cost[PAVEMENT] == -1, 'pixels without a label say nothing'


def test_a_named_set_serves_alone_where_nothing_is_published():
    meaning = source(label_set='camvid').at(5)
    assert meaning.costs.cost[ROAD] == 0
    assert meaning.origin == 'parameter label_set'


def test_a_named_set_waits_for_the_one_that_somebody_publishes():
    with pytest.raises(PendingError, match='1 publisher'):
        source(publishers=1, label_set='camvid').at(5)
    with pytest.raises(PendingError, match='found the first one for images from'):
        heard(source(label_set='camvid'), (10, CAMVID)).at(5)


@pytest.mark.parametrize(
    ('named', 'other', 'words'),
    [
        ('cityscapes', CAMVID, "expected 'road' as class 0, found 'sky'"),
        ('camvid', CITYSCAPES, "expected 'sky' as class 0, found 'road'"),
        (
            'camvid',
            HeardSet(LabelSet('short', CAMVID.label_set.classes[:-1])),
            "expected 'void' as class 11, found no class",
        ),
        (
            'camvid',
            HeardSet(LabelSet('other void', CAMVID.label_set.classes)),
            'expected void as class 11, found None',
        ),
    ],
)
def test_a_named_set_that_is_not_that_of_the_masks_is_refused(named, other, words):
    with pytest.raises(InputError, match=words) as error:
        heard(source(label_set=named), (0, other)).at(5)
    assert not isinstance(error.value, PendingError)
    assert '/mask_maker/label_set' in str(error.value)


def test_costs_of_a_named_set_win_where_both_agree(tmp_path):
    path = tmp_path / 'mine.yaml'
    lines = [
        f'  - {{name: {c.name}, color: [1, 2, 3], cost: 7}}' for c in CAMVID.label_set.classes
    ]
    path.write_text('\n'.join(['name: mine', 'void: void', 'classes:', *lines]))
    meaning = heard(source(label_set=str(path)), (0, CAMVID)).at(5)
    assert meaning.costs.cost[[ROAD, PAVEMENT]].tolist() == [7, 7]
    assert meaning.model == 'camvid'
    assert meaning.origin == 'topic /mask_maker/label_set and parameter label_set'


def test_groups_of_a_named_set_are_those_of_the_masks():
    roles = dict(CAMVID.label_set.groupings)['roles']
    grouped = HeardSet(CAMVID.label_set.grouped(roles, 'roles'))
    settings = {'label_set': 'camvid', 'label_groups': 'roles'}
    assert heard(source(**settings), (0, grouped)).at(5).costs.cost[:4].tolist() == [
        0, 40, -1, 100
    ]  # fmt: skip
    with pytest.raises(InputError, match="found 'sky'"):
        heard(source(**settings), (0, CAMVID)).at(5)


def test_a_set_without_anything_to_drive_on_is_refused_in_words():
    voc = HeardSet(load_label_set('pascal_voc'))
    with pytest.raises(InputError, match='expected a class with a cost of 0 to 99, found none'):
        heard(source(), (0, voc)).at(5)


def test_a_message_that_made_no_sense_is_told_where_it_counts():
    meanings = heard(source(), (0, CAMVID), (10, HeardSet(None, fault='label_set: two id 3')))
    assert meanings.at(9).label_set.name == 'camvid'
    with pytest.raises(InputError, match='two id 3'):
        meanings.at(10)


@pytest.mark.parametrize('name', [n for n in street_label_sets() if n != 'pascal_voc'])
def test_every_other_shipped_set_is_understood_as_it_is_heard(name):
    label_set = load_label_set(name)
    meaning = heard(source(), (0, HeardSet(label_set))).at(5)
    for class_id, entry in enumerate(label_set.classes):
        expected = -1 if entry.cost is None or class_id == label_set.void_id else entry.cost
        assert meaning.costs.cost[class_id] == expected
    assert (meaning.costs.cost[len(label_set.classes) :] == -1).all()


def test_own_costs_are_applied_to_whatever_set_is_in_use():
    meanings = heard(source(costs=('pavement=5', 'road=100', '')), (0, CAMVID))
    costs = meanings.at(5).costs
    assert costs.cost[[PAVEMENT, ROAD]].tolist() == [5, 100]
    assert not costs.upright[ROAD], 'a road that must not be driven on still lies flat'
    with pytest.raises(InputError, match="costs: label set 'camvid' has no class 'terrain'"):
        heard(source(costs=('terrain=5',)), (0, CAMVID)).at(5)


def test_names_of_label_info_must_agree():
    meanings = source(label_set='camvid')
    meanings.hear_names(0, {0: 'sky', 3: 'road'})
    assert meanings.at(5)
    meanings.hear_names(0, {0: 'road'})
    with pytest.raises(InputError, match="expected 'sky' as class 0") as error:
        meanings.at(5)
    assert not isinstance(error.value, PendingError)


def test_names_that_are_a_moment_ahead_of_the_set_are_waited_for():
    meanings = heard(source(), (0, CAMVID))
    meanings.hear_names(50, {0: 'road'})
    assert meanings.at(49), 'names of later images say nothing of this one'
    with pytest.raises(PendingError, match="expected 'sky' as class 0"):
        meanings.at(50)
    heard(meanings, (50, CITYSCAPES))
    assert meanings.at(50).label_set.name == 'cityscapes'


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'label_set': 'camvid', 'costs': ('terrain=5',)}, "has no class 'terrain'"),
        ({'costs': ('road=101',)}, "0 to 100, found 'road=101'"),
        ({'costs': ('road',)}, '"class=number"'),
        ({'costs': ('road=1', 'road=2')}, "'road' twice"),
        ({'label_set': 'camvid', 'costs': ('void=5',)}, 'which is the void class'),
        ({'label_set': 'pascal_voc'}, 'a class with a cost of 0 to 99, found none'),
        ({'label_set': 'nothing'}, "no label set 'nothing'"),
        ({'label_groups': 'roles'}, 'groups come with the masks'),
    ],
)
def test_parameters_that_can_never_be_right_are_refused_at_once(settings, words):
    with pytest.raises(ConfigError, match=words):
        check_meaning(FreeSpaceSettings(**settings))


def test_own_costs_of_classes_that_are_not_known_yet_are_allowed():
    check_meaning(FreeSpaceSettings(costs=('terrain=5',)))


def test_a_class_that_had_no_cost_takes_its_flatness_from_the_cost():
    bare = HeardSet(LabelSet('bare', tuple(LabelClass(n, (0, 0, 0)) for n in ('lawn', 'hut'))))
    costs = heard(source(costs=('lawn=30', 'hut=100')), (0, bare)).at(5).costs
    assert costs.cost[:2].tolist() == [30, 100]
    assert costs.upright[:2].tolist() == [False, True]
