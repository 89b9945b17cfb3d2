"""Label sets: what the class ids of a mask mean."""

from espnet_ros.labels.comparison import check_same_classes
from espnet_ros.labels.costs import parse_costs, with_costs
from espnet_ros.labels.label_class import distinct_color_rgb, LabelClass
from espnet_ros.labels.label_set import (
    Grouping,
    LabelSet,
    load_label_set,
    MAX_CLASSES,
    parse_grouping,
    parse_groups,
    shipped_label_sets,
    UNLABELLED_ID,
)
from espnet_ros.labels.shipped import completed_by_shipped

__all__ = [
    'check_same_classes',
    'completed_by_shipped',
    'distinct_color_rgb',
    'Grouping',
    'LabelClass',
    'LabelSet',
    'load_label_set',
    'MAX_CLASSES',
    'parse_costs',
    'parse_grouping',
    'parse_groups',
    'shipped_label_sets',
    'UNLABELLED_ID',
    'with_costs',
]
