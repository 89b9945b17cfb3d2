"""Label sets: what the class ids of a mask mean."""

from espnet_ros.labels.costs import with_shipped_costs
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

__all__ = [
    'distinct_color_rgb',
    'Grouping',
    'LabelClass',
    'LabelSet',
    'load_label_set',
    'MAX_CLASSES',
    'parse_grouping',
    'parse_groups',
    'shipped_label_sets',
    'UNLABELLED_ID',
    'with_shipped_costs',
]
