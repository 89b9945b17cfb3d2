import hashlib
from pathlib import Path
import subprocess
import sys

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file.published import (
    find_by_sha256,
    find_published,
    PUBLISHED,
    PublishedModel,
)
import pytest


@pytest.mark.parametrize('model', PUBLISHED, ids=lambda model: model.name)
def test_record_is_that_of_the_file(model: PublishedModel, shared_data: Path) -> None:
    data = (shared_data / 'weights' / model.mirror_path).read_bytes()
    assert hashlib.sha256(data).hexdigest() == model.sha256
    assert len(data) == model.size_bytes


def test_address_is_fixed_to_one_commit() -> None:
    assert find_published('espnet_c_p2_q3_cityscapes').address == (
        'https://raw.githubusercontent.com/sacmehta/ESPNet/'
        'afe71c38edaee3514ca44e0adcafdf36109bf437/pretrained/encoder/espnet_p_2_q_3.pth'
    )


def test_records_differ_in_all_that_names_them() -> None:
    for attribute in ('name', 'address', 'file_name', 'sha256'):
        assert len({getattr(model, attribute) for model in PUBLISHED}) == len(PUBLISHED)


def test_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ModelError, match=r"'espnet'; expected one of espnet_p2_q8_cityscapes, "):
        find_published('espnet')


def test_weights_are_recognised_by_their_checksum() -> None:
    assert find_by_sha256(PUBLISHED[3].sha256) is PUBLISHED[3]
    assert find_by_sha256('0' * 64) is None


@pytest.mark.parametrize(
    'module',
    ['espnet_ros.model_file.published', 'espnet_ros.export.fetch', 'espnet_ros.evaluation.parity'],
)
def test_import_takes_no_torch(module: str) -> None:
    code = f'import {module}, sys; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
