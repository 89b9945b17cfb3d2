"""Labels told in the classes of another label set."""

from __future__ import annotations

from espnet_ros.datasets.mapped import MappedDataset
from espnet_ros.datasets.street import StreetDataset
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import load_label_set
import numpy as np
import pytest


def test_the_street_is_told_in_classes_of_cityscapes() -> None:
    street = StreetDataset(1, size=(90, 160), endless=False)
    mapped = MappedDataset(street, load_label_set('cityscapes'))
    ours, theirs = street.load(0).labels, mapped.load(0).labels
    camvid, cityscapes = street.label_set, mapped.label_set
    for name, other in (('road', 'road'), ('pavement', 'sidewalk'), ('tree', 'vegetation')):
        of_class = ours == camvid.id_of(name)
        assert of_class.any()
        assert np.unique(theirs[of_class]).tolist() == [cityscapes.id_of(other)]
    unknown = np.isin(ours, [camvid.id_of('bicyclist'), camvid.id_of('void')])
    assert ((theirs == 255) == unknown).all()


def test_a_label_set_whose_classes_are_not_known_there_is_refused() -> None:
    with pytest.raises(ConfigError, match='expected the classes of pascal_voc'):
        MappedDataset(StreetDataset(1, size=(90, 160)), load_label_set('pascal_voc'))
