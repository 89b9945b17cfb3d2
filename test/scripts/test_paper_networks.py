"""The records of the networks; operations were counted before by hooks on the authors' code."""

import pytest

pytest.importorskip('torch')
from espnet_ros.model_file.published import find_published
from espnet_ros.models.registry import ARCHITECTURES

from scripts.paper_networks import mac_count, PAPER_NETWORKS, PaperNetwork, parameter_count

GIGA_MACS = {
    'ESPNet, alpha3 = 8': 4.709,
    'ESPNet, alpha3 = 5': 3.923,
    'ESPNet, alpha3 = 3': 3.399,
    'ESPNet-C, alpha3 = 8': 3.470,
    'ESPNet-C, alpha3 = 3': 2.159,
    'NDNet45, encoder and decoder': 1.684,
    'ERFNet': 26.613,
}


@pytest.mark.parametrize('name', GIGA_MACS)
def test_operations_at_1024x512_are_those_counted_before(name: str) -> None:
    (record,) = (record for record in PAPER_NETWORKS if record.name == name)
    assert mac_count(record.build(), (512, 1024)) / 1e9 == pytest.approx(
        GIGA_MACS[name], abs=0.0006
    )


@pytest.mark.parametrize('record', PAPER_NETWORKS, ids=lambda record: record.name)
def test_record_builds_a_network_of_the_printed_parameters(record: PaperNetwork) -> None:
    parameters = parameter_count(record.build())
    if record.printed_parameters:
        digits = len(record.printed_parameters.partition('.')[2])
        tolerance = 10.0**-digits if record.architecture != 'ndnet' else 0.021
        assert parameters / 1e6 == pytest.approx(float(record.printed_parameters), abs=tolerance)
    for weights in record.weights:
        assert find_published(weights).parameters == parameters


def test_every_architecture_is_among_them() -> None:
    assert {record.architecture for record in PAPER_NETWORKS} == set(ARCHITECTURES)
