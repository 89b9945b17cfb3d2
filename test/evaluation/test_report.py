"""Accuracy by both void protocols, against numbers worked out by hand."""

from __future__ import annotations

import json
import math

from espnet_ros.evaluation.report import make_report
from espnet_ros.labels import LabelClass, LabelSet, load_label_set
import numpy as np
import pytest

LABEL_SET = LabelSet(
    'test',
    tuple(LabelClass(name, (i, i, i)) for i, name in enumerate(('road', 'car', 'bus', 'void'))),
    void_id=3,
    groupings=(('coarse', (('flat', ('road',)), ('vehicle', ('car', 'bus')))),),
)

# Rows: road, car, bus, void, unlabelled.
COUNTS = np.array(
    [
        [80, 10, 0, 10, 0],
        [0, 30, 10, 0, 0],
        [0, 20, 20, 0, 0],
        [20, 0, 0, 5, 0],
        [0, 10, 0, 0, 0],
    ],
    np.int64,
)


def test_void_and_unlabelled_pixels_do_not_count_where_void_is_ignored() -> None:
    report = make_report(COUNTS, LABEL_SET, 4)
    assert [entry.iou for entry in report.classes] == pytest.approx([0.8, 30 / 70, 20 / 50])
    assert report.miou.void_ignored == pytest.approx((0.8 + 30 / 70 + 0.4) / 3)


def test_predictions_on_void_count_against_their_class_in_the_other_protocol() -> None:
    report = make_report(COUNTS, LABEL_SET, 4)
    strict = [entry.iou_void_as_false_positive for entry in report.classes]
    assert strict == pytest.approx([80 / 120, 30 / 80, 0.4])
    assert report.miou.void_as_false_positive == pytest.approx((80 / 120 + 30 / 80 + 0.4) / 3)


def test_labelled_pixels_taken_for_void_are_missed() -> None:
    report = make_report(COUNTS, LABEL_SET, 4)
    assert [entry.recall for entry in report.classes] == pytest.approx([0.8, 0.75, 0.5])
    assert report.class_average == pytest.approx((0.8 + 0.75 + 0.5) / 3)
    assert report.pixel_accuracy == pytest.approx(130 / 180)
    assert [entry.share for entry in report.classes] == pytest.approx(
        [100 / 180, 40 / 180, 40 / 180]
    )


def test_confusion_within_a_group_is_none() -> None:
    (coarse,) = make_report(COUNTS, LABEL_SET, 4).groupings
    assert dict(coarse.iou) == pytest.approx({'flat': 0.8, 'vehicle': 80 / 90})
    assert coarse.miou.void_as_false_positive == pytest.approx((80 / 120 + 80 / 100) / 2)


def test_a_class_that_never_occurs_is_unknown_and_not_in_the_mean() -> None:
    counts = COUNTS.copy()
    counts[2] = 0
    counts[:, 2] = 0
    report = make_report(counts, LABEL_SET, 4)
    assert math.isnan(report.classes[2].iou)
    assert report.miou.void_ignored == pytest.approx((0.8 + 30 / 40) / 2)
    assert report.to_dict()['class_iou']['bus'] is None


def test_nothing_labelled_gives_no_number_rather_than_zero() -> None:
    counts = np.zeros((5, 5), np.int64)
    content = make_report(counts, LABEL_SET, 1).to_dict()
    assert content['miou'] == {'void_ignored': None, 'void_as_false_positive': None}
    assert content['pixel_accuracy'] is None
    json.dumps(content, allow_nan=False)


def test_the_record_is_in_percent() -> None:
    content = make_report(COUNTS, LABEL_SET, 4).to_dict()
    assert content['images'] == 4
    assert content['class_iou']['road'] == 80.0
    assert content['groupings']['coarse']['iou']['vehicle'] == pytest.approx(88.8889)


def test_a_perfect_model_has_100_percent_of_everything() -> None:
    label_set = load_label_set('camvid')
    counts = np.diag(np.arange(1, 14)).astype(np.int64)
    content = make_report(counts, label_set, 1).to_dict()
    assert content['miou'] == {'void_ignored': 100.0, 'void_as_false_positive': 100.0}
    assert set(content['class_iou'].values()) == {100.0}
    assert 'void' not in content['class_iou']


def test_a_class_that_is_predicted_but_never_true_counts_as_zero_as_in_cityscapes() -> None:
    counts = COUNTS.copy()
    counts[2] = 0  # no bus in the truth, though 10 pixels of a car are taken for one
    report = make_report(counts, LABEL_SET, 4)
    assert report.classes[2].iou == 0.0
    assert report.miou.void_ignored == pytest.approx((0.8 + 30 / 50 + 0) / 3)
    assert report.miou.void_as_false_positive == pytest.approx((80 / 120 + 30 / 60 + 0) / 3)
    assert report.class_average == pytest.approx((0.8 + 0.75) / 2)


def test_a_road_of_which_half_is_taken_for_a_car_has_a_quarter() -> None:
    counts = np.zeros((5, 5), np.int64)
    counts[0, :2] = (50, 50)
    content = make_report(counts, LABEL_SET, 1).to_dict()
    assert content['miou']['void_ignored'] == 25.0
    assert 'cityscapesScripts' in content['miou_rule']


def test_a_class_that_is_predicted_on_void_alone_counts_only_where_void_does() -> None:
    counts = np.diag([10, 10, 0, 0, 0]).astype(np.int64)
    counts[3, 2] = 7  # void in the truth, predicted as bus
    miou = make_report(counts, LABEL_SET, 1).miou
    assert (miou.void_ignored, miou.void_as_false_positive) == (1.0, pytest.approx(2 / 3))


def test_a_group_that_is_predicted_but_never_true_counts_as_zero() -> None:
    counts = np.zeros((5, 5), np.int64)
    counts[0, :2] = (90, 10)  # road, a tenth of it taken for cars
    (coarse,) = make_report(counts, LABEL_SET, 1).groupings
    assert dict(coarse.iou) == {'flat': 0.9, 'vehicle': 0.0}
    assert coarse.miou.void_ignored == pytest.approx(0.45)


def test_classes_without_a_labelled_pixel_are_named_and_the_mean_says_over_how_many() -> None:
    counts = np.diag([10, 0, 0, 0, 0]).astype(np.int64)
    counts[0, 1] = 5
    content = make_report(counts, LABEL_SET, 1).to_dict()
    assert content['classes_without_pixels'] == ['car', 'bus']
    assert content['classes_in_miou'] == 2


def test_labels_whose_ids_begin_at_one_are_told() -> None:
    shifted = np.zeros((5, 5), np.int64)
    shifted[1:4] = COUNTS[:3]  # what is road is labelled as car, and so on
    report = make_report(shifted, LABEL_SET, 4)
    assert report.exchanged == (('car', 'road'), ('bus', 'car'))
    assert json.loads(json.dumps(report.to_dict()))['classes_exchanged'][0] == ['car', 'road']


@pytest.mark.parametrize(
    'predicted',
    [np.eye(3), np.ones((3, 3)), np.eye(3)[[0, 0, 0]], np.eye(3)[[1, 1, 1]], np.zeros((3, 3))],
    ids=['right', 'guesses', 'all are road', 'all are car', 'none'],
)
def test_a_model_that_is_merely_poor_exchanges_nothing(predicted: np.ndarray) -> None:
    counts = np.zeros((5, 5), np.int64)
    counts[:3, :3] = (predicted * [[400], [350], [250]]).astype(np.int64)
    assert make_report(counts, LABEL_SET, 1).exchanged == ()
