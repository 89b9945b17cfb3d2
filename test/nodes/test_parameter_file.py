from pathlib import Path

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.nodes.parameter_file import format_parameter_file
from espnet_ros.settings import list_settings
import pytest
import yaml

CONFIG = Path(__file__).parents[2] / 'config' / 'segmentation.yaml'
FIXTURES = ('model', 'runtime', 'threads', 'min_contrast', 'autostart')


def test_the_file_is_up_to_date():
    assert CONFIG.read_text() == format_parameter_file(SegmentationNodeSettings), (
        'run: python -m espnet_ros.nodes.parameter_file > config/segmentation.yaml'
    )


def test_the_file_is_yaml_with_every_parameter_described():
    text = CONFIG.read_text()
    parameters = yaml.safe_load(text)['/**']['ros__parameters']
    assert parameters['overlay'] == {'alpha': 0.5, 'legend': False, 'max_width': 960}
    said = ' '.join(text.replace('#', ' ').split())
    for entry in list_settings(SegmentationNodeSettings):
        assert ' '.join(entry.description.split()) in said
    assert max(map(len, text.splitlines())) <= 99


@pytest.mark.ros
def test_the_node_starts_with_the_file_and_has_its_defaults(segmentation, capfd):
    node = segmentation(['--params-file', str(CONFIG)], autostart=False)
    for entry in list_settings(SegmentationNodeSettings):
        value = node.get_parameter(entry.name).value
        if entry.name not in FIXTURES:
            assert (tuple(value) if isinstance(value, list) else value) == entry.default
    assert 'unknown' not in ''.join(capfd.readouterr())
