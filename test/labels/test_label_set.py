"""Label sets: what they hold, how they are read, grouped and refused."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import (
    distinct_color_rgb,
    LabelClass,
    LabelSet,
    load_label_set,
    parse_grouping,
    shipped_label_sets,
)
import numpy as np
import pytest

CITYSCAPES = load_label_set('cityscapes')


def make_set(**changes: object) -> LabelSet:
    values = {
        'name': 'street',
        'classes': (
            LabelClass('road', (128, 64, 128)),
            LabelClass('car', (0, 0, 142)),
            LabelClass('void', (0, 0, 0)),
        ),
        'void_id': 2,
        'groupings': (('simple', (('free', ('road',)), ('solid', ('car',)))),),
    }
    return LabelSet(**{**values, **changes})


class TestShippedSets:
    def test_they_are_found_by_name(self):
        assert {'camvid', 'cityscapes'} <= set(shipped_label_sets())

    def test_cityscapes_has_its_19_classes_and_void(self):
        assert len(CITYSCAPES.classes) == 20
        assert CITYSCAPES.id_of('road') == 0
        assert CITYSCAPES.id_of('bicycle') == 18
        assert CITYSCAPES.void_id == CITYSCAPES.id_of('void') == 19

    def test_camvid_has_the_order_of_segnet(self):
        camvid = load_label_set('camvid')
        assert len(camvid.classes) == 12
        assert camvid.void_id == 11
        assert camvid.classes[0].color_rgb == (128, 128, 128)

    @pytest.mark.parametrize('name', ['camvid', 'cityscapes'])
    def test_their_categories_hold_every_class_but_void(self, name):
        label_set = load_label_set(name)
        void = {label_set.names[label_set.void_id]}
        grouping = dict(label_set.groupings)['categories']
        members = [member for _, classes in grouping for member in classes]
        assert set(members) == set(label_set.names) - void

    @pytest.mark.parametrize('name', shipped_label_sets())
    def test_they_survive_a_model_file(self, name):
        label_set = load_label_set(name)
        assert LabelSet.from_dict(label_set.to_dict(), 'test') == label_set


class TestChecks:
    @pytest.mark.parametrize(
        ('changes', 'message'),
        [
            ({'classes': ()}, '1 to 255 classes, found 0'),
            ({'classes': tuple(LabelClass(str(i), (0, 0, 0)) for i in range(256))}, 'found 256'),
            ({'classes': (LabelClass('a', (0, 0, 0)),) * 2}, 'found twice: a'),
            ({'classes': (LabelClass('a', (0, 0, 256)),)}, r"class 'a': .*found \(0, 0, 256\)"),
            ({'classes': (LabelClass('a', (0, 0)),)}, 'colour'),
            ({'void_id': 3}, 'void id of 0 to 2, found 3'),
            ({'void_id': -1}, 'found -1'),
            ({'groupings': (('g', (('free', ('lane',)),)),)}, "has no class 'lane'"),
            ({'groupings': (('g', (('a', ('road',)), ('b', ('road',)))),)}, 'in two groups'),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, changes, message):
        values = {'void_id': None, 'groupings': (), **changes}
        with pytest.raises(ConfigError, match=message):
            make_set(**values)

    def test_an_unknown_class_is_refused_with_those_there_are(self):
        with pytest.raises(ConfigError, match="no class 'lane'; it has road, car, void"):
            make_set().id_of('lane')


class TestColours:
    def test_the_palette_holds_every_id(self):
        palette = make_set().palette_rgb()
        assert (palette.shape, palette.dtype) == ((256, 3), np.uint8)
        assert palette[1].tolist() == [0, 0, 142]
        assert (palette[3:] == 0).all()

    def test_classes_without_colours_get_distinct_ones(self):
        colors = [distinct_color_rgb(index) for index in range(255)]
        assert len(set(colors)) == 255
        assert (0, 0, 0) not in colors
        assert LabelSet.from_names(('a', 'b')).classes[0].color_rgb == (128, 0, 0)


class TestGroups:
    def test_a_grouping_of_the_set_is_taken_by_name(self):
        grouping = parse_grouping('categories', CITYSCAPES)
        grouped = CITYSCAPES.grouped(grouping)
        assert grouped.names[:2] == ('flat', 'construction')
        assert grouped.classes[0].color_rgb == CITYSCAPES.classes[0].color_rgb
        table = CITYSCAPES.group_table(grouping, 255)
        assert table[[0, 1, 2, 13, 19]].tolist() == [0, 0, 1, 6, 255]

    def test_a_grouping_may_be_written_out(self):
        grouping = parse_grouping(' free = road ; solid=car, void;', make_set())
        assert grouping == (('free', ('road',)), ('solid', ('car', 'void')))
        assert make_set().group_table(grouping, 9)[:4].tolist() == [0, 1, 1, 9]

    @pytest.mark.parametrize('text', ['', '   '])
    def test_nothing_is_no_grouping(self, text):
        assert parse_grouping(text, make_set()) is None

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('categories', r'grouping of label set .street. \(simple\)'),
            ('free=', 'found .free='),
            ('=road', 'found .=road'),
            ('free', 'found .free'),
            ('free=road; free=car', 'found .free=car'),
            ('free=road; solid=road', "class 'road' is in two groups"),
            ('free=lane', "no class 'lane'"),
        ],
    )
    def test_what_is_no_grouping_is_refused(self, text, message):
        with pytest.raises(ConfigError, match=message):
            parse_grouping(text, make_set())


class TestFiles:
    def test_a_set_of_ones_own_is_read_from_yaml(self, tmp_path):
        path = tmp_path / 'mine.yaml'
        path.write_text(
            'name: mine\n'
            'classes:\n'
            '  - {name: floor, color: [1, 2, 3]}\n'
            '  - {name: rest, color: [4, 5, 6]}\n'
            'void: rest\n'
            'groupings:\n'
            '  all: {everything: [floor, rest]}\n'
        )
        label_set = load_label_set(str(path))
        assert label_set.names == ('floor', 'rest')
        assert label_set.void_id == 1
        assert label_set.groupings == (('all', (('everything', ('floor', 'rest')),)),)

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('', 'expected a label set with name and classes'),
            ('- a\n- b', 'expected a label set'),
            ('name: x\nclasses: 5', 'expected a label set'),
            ('name: x\nclasses: [{name: a}]', "mistake at 'color'"),
            ('name: x\nclasses: [{name: a, color: [1, 2]}]', 'mistake at'),
            ('name: x\nclasses: [{name: a, color: red}]', 'mistake at'),
            ('name: x\nclasses: [{name: a, color: [1, 2, 3]}]\nvoid: b', 'mistake at'),
            ('name: x\nclasses: [{name: a, color: [1, 2, 3]}]\ngroupings: [1]', 'mistake at'),
            ('name: [', 'not valid YAML'),
        ],
    )
    def test_a_file_with_a_mistake_is_refused_by_name(self, tmp_path, text, message):
        path = tmp_path / 'mine.yaml'
        path.write_text(text)
        with pytest.raises(ConfigError, match=rf'mine\.yaml.*{message}'):
            load_label_set(str(path))

    def test_a_file_that_is_not_text_is_refused(self, tmp_path):
        path = tmp_path / 'mine.yaml'
        path.write_bytes(b'\xff\xfe\x00\xd8')
        with pytest.raises(ConfigError, match='cannot be read'):
            load_label_set(str(path))

    def test_a_missing_file_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match='cannot be read'):
            load_label_set(str(tmp_path / 'none.yaml'))

    @pytest.mark.parametrize('name', ['kitti', '', '../labelsets/camvid'])
    def test_an_unknown_name_is_refused_with_those_there_are(self, name):
        with pytest.raises(ConfigError, match=r'one of .*camvid, .*cityscapes'):
            load_label_set(name)


@pytest.mark.parametrize('count', [1, 255])
def test_a_set_may_have_one_class_and_as_many_as_ids_leave_beside_unlabelled(count):
    label_set = LabelSet('x', tuple(LabelClass(str(i), (0, 0, 0)) for i in range(count)))
    assert label_set.id_of(str(count - 1)) == count - 1


@pytest.mark.parametrize('void_id', [0, 2])
def test_void_may_be_the_first_and_the_last_class(void_id):
    label_set = make_set(void_id=void_id)
    assert LabelSet.from_dict(label_set.to_dict(), 'x.yaml').void_id == void_id


def test_a_class_cannot_go_into_two_groups_of_a_grouping_made_by_hand():
    with pytest.raises(ConfigError, match="class 'road' is in two groups"):
        make_set().grouped((('free', ('road',)), ('again', ('car', 'road'))))


def test_a_class_called_yes_has_to_be_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / 'labels.yaml'
    path.write_text('name: a\nclasses: [{name: yes, color: [0, 0, 0]}]\n')
    with pytest.raises(ConfigError, match='put yes, no, on and off in quotes'):
        load_label_set(str(path))
    path.write_text('name: a\nclasses: [{name: "yes", color: [0, 0, 0]}]\n')
    assert load_label_set(str(path)).names == ('yes',)
