"""Small files of the kernel: what they say, and how they fail."""

from __future__ import annotations

import errno
from pathlib import Path

from espnet_ros.telemetry.file_tree import FileTree
import pytest

from .boards import FailingFiles


@pytest.mark.parametrize(
    ('text', 'value'),
    [('3600 ma\n', 3600), ('-20\n', -20), ('  7', 7), ('0\n', 0), ('12\0', 12)],
)
def test_number_is_what_the_text_starts_with(tmp_path: Path, text: str, value: int) -> None:
    (tmp_path / 'value').write_text(text)
    assert FileTree(tmp_path).number('/value').value == value


@pytest.mark.parametrize('text', ['', 'x', '0x10', '1.5.2'])
def test_other_text_is_no_number(tmp_path: Path, text: str) -> None:
    (tmp_path / 'value').write_text(text)
    quantity = FileTree(tmp_path).number('/value')
    assert quantity.value is None
    assert quantity.reason.startswith('/value: expected a number')


def test_bytes_that_are_no_text_are_read(tmp_path: Path) -> None:
    (tmp_path / 'value').write_bytes(b'\xff\xfe')
    assert FileTree(tmp_path).number('/value').value is None


def test_folder_in_the_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / 'value').mkdir()
    quantity = FileTree(tmp_path).number('/value')
    assert quantity.value is None
    assert 'is a directory' in quantity.reason


def test_error_is_told_with_the_path_on_the_machine(tmp_path: Path) -> None:
    (tmp_path / 'value').write_text('1')
    tree = FileTree(tmp_path, FailingFiles(value=errno.EACCES))
    assert tree.number('/value').reason == '/value: permission denied'
    assert tree.text('/value') is None


def test_folders_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for n in (10, 9, 1):
        (tmp_path / f'hwmon{n}').mkdir()
    assert [p.name for p in FileTree(tmp_path).glob('/hwmon*')] == ['hwmon1', 'hwmon9', 'hwmon10']


def test_only_the_root_of_the_machine_is_this_machine(tmp_path: Path) -> None:
    assert FileTree().is_this_machine
    assert not FileTree(tmp_path).is_this_machine
