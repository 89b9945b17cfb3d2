"""The settings of the package are sound in themselves."""

from __future__ import annotations

from espnet_ros.config import (
    MaskSettings,
    OverlaySettings,
    RuntimeSettings,
    SegmentationNodeSettings,
)
from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import list_settings, read_settings, setting_values
import pytest

ALL = list_settings(SegmentationNodeSettings)


def test_every_default_is_a_value_that_is_allowed():
    assert read_settings(SegmentationNodeSettings, {}) == SegmentationNodeSettings()
    values = setting_values(SegmentationNodeSettings())
    assert read_settings(SegmentationNodeSettings, values) == SegmentationNodeSettings()


def test_no_two_settings_have_one_name():
    names = [entry.name for entry in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize('entry', ALL, ids=lambda entry: entry.name)
def test_every_setting_is_described_by_a_sentence(entry):
    assert entry.description[0].isupper()
    assert entry.description.endswith(('.', '.)'))


@pytest.mark.parametrize('name', ['roi', 'mask_size', 'overlay.alpha', 'max_rate_hz'])
def test_what_can_change_while_it_runs_can_change(name):
    assert not next(entry for entry in ALL if entry.name == name).read_only


@pytest.mark.parametrize('roi', [(0, 0, 0, 0), (0, 0, 1, 1), (5, 6, 7, 8)])
def test_a_region_is_all_of_the_image_or_has_an_area(roi):
    assert MaskSettings(roi=roi).roi == roi


@pytest.mark.parametrize('roi', [(1, 0, 0, 0), (0, 0, 5, 0), (0, 0, 0, 5), (1, 2, 3), ()])
def test_a_region_without_area_is_refused(roi):
    with pytest.raises(ConfigError, match=r'roi: expected \[x, y, width, height\]'):
        MaskSettings(roi=roi)


@pytest.mark.parametrize(
    ('text', 'size'),
    [
        ('image', None),
        ('network', None),
        ('512,1024', (512, 1024)),
        ('[512, 1024]', (512, 1024)),
        ('1,1', (1, 1)),
        ('16384,16384', (16384, 16384)),
    ],
)
def test_a_mask_size_is_a_word_or_a_size(text, size):
    assert MaskSettings(mask_size=text).fixed_mask_size() == size


@pytest.mark.parametrize(
    'text', ['', 'half', '512', '0,5', '5,0', '-1,5', '1.5,2', '1,2,3', '16385,1', 'a,b']
)
def test_other_mask_sizes_are_refused(text):
    with pytest.raises(ConfigError, match='mask_size: expected image, network or'):
        MaskSettings(mask_size=text)


@pytest.mark.parametrize(
    ('settings', 'values'),
    [
        (RuntimeSettings, {'runtime': 'caffe'}),
        (RuntimeSettings, {'precision': 'fp64'}),
        (RuntimeSettings, {'threads': -1}),
        (MaskSettings, {'unlabelled_id': 256}),
        (MaskSettings, {'confidence_threshold': 1.5}),
        (MaskSettings, {'roi': [0, 0, -5, 5]}),
        (OverlaySettings, {'alpha': -0.1}),
    ],
)
def test_values_out_of_bounds_are_refused(settings, values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        read_settings(settings, values)
