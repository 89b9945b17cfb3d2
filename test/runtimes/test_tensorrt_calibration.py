"""INT8 by TensorRT's own entropy calibrator, where a version has one, with a stand-in for it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError
from espnet_ros.processing.codecs import write_image
from espnet_ros.runtimes.engines.calibration import find_images, MOST_IMAGES
from espnet_ros.runtimes.engines.quantization import quantize_model
from fake_tensorrt.board import deeper_model, labels_of, make_batch, write_batch
from fake_tensorrt.library import VERSIONS
import numpy as np
import pytest

CALIBRATING = [version for version in VERSIONS if not version.startswith('11')]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of images of 2x2 blocks."""
    return write_batch(tmp_path / 'street', 3)


def scales(board) -> list[bytes]:
    """Return the scales that are kept beside engines."""
    return [path.read_bytes() for path in sorted(board.cache.glob('*.calibration'))]


@pytest.mark.parametrize('board', CALIBRATING, indirect=True)
@pytest.mark.parametrize('batch_size', [1, 2])
def test_a_float_model_becomes_int8_by_images(board, brightest, images, batch_size):
    settings = {'precision': 'int8', 'calibration_dir': str(images)}
    with board.runtime(brightest, batch_size=batch_size, **settings) as runtime:
        assert runtime.precision == 'int8'
        batch = make_batch(batch_size)
        np.testing.assert_array_equal(runtime.infer(batch).labels, labels_of(batch))
    (kept,) = scales(board)
    assert b'EntropyCalibration2 3 ' in kept
    assert board.engines()[0].with_suffix('.calibration').is_file()


def test_scales_that_are_kept_are_not_measured_again(board, brightest, images):
    settings = {'precision': 'int8', 'calibration_dir': str(images)}
    board.runtime(brightest, **settings).open()
    path = board.engines()[0].with_suffix('.calibration')
    path.write_bytes(b'scales of an earlier build')
    board.runtime(brightest, force_rebuild=True, **settings).open()
    assert scales(board) == [b'scales of an earlier build']


def test_other_images_make_another_engine(board, brightest, images):
    settings = {'precision': 'int8', 'calibration_dir': str(images)}
    board.runtime(brightest, **settings).open()
    write_image(images / '9.png', np.ascontiguousarray(make_batch(1, seed=4)[0]))
    board.runtime(brightest, **settings).open()
    assert len(board.engines()) == len(set(scales(board))) == 2


def test_images_are_resized_to_what_the_engine_is_shown(board, brightest, images):
    settings = {'precision': 'int8', 'calibration_dir': str(images)}
    size = {'resize': 'device', 'engine_image_size': (48, 64)}
    with board.runtime(brightest, **settings, **size) as runtime:
        assert runtime.precision == 'int8'


@pytest.mark.parametrize('board', ['8.6.1', '10.3.0'], indirect=True)
def test_a_dla_core_takes_int8_by_images(board, brightest, images):
    settings = {'precision': 'int8', 'calibration_dir': str(images), 'dla_core': 0}
    with board.runtime(brightest, **settings) as runtime:
        assert runtime.precision == 'int8'


def test_a_dla_core_takes_no_quantised_model(board):
    quantized = quantize_model(deeper_model(), list(make_batch(4)))
    with pytest.raises(RuntimeUnavailableError, match='give the float model and calibration_dir'):
        board.runtime(quantized, dla_core=0).open()


@pytest.mark.parametrize('board', ['11.1'], indirect=True)
def test_a_version_without_calibrator_says_so(board, brightest, images):
    settings = {'precision': 'int8', 'calibration_dir': str(images)}
    with pytest.raises(RuntimeUnavailableError, match=r'needs a quantised model.*TensorRT 10\.16'):
        board.runtime(brightest, **settings).open()


def test_auto_measures_nothing(board, brightest, images):
    with board.runtime(brightest, calibration_dir=str(images)) as runtime:
        assert runtime.precision == 'fp16'
    assert scales(board) == []


@pytest.mark.parametrize(
    ('name', 'words'), [('nowhere', 'cannot be read'), ('', r'expected images .*, found none')]
)
def test_a_folder_without_images_is_refused(board, brightest, tmp_path, name, words):
    (tmp_path / 'empty').mkdir()
    folder = str(tmp_path / (name or 'empty'))
    with pytest.raises(ConfigError, match=f'calibration_dir {folder}: {words}'):
        board.runtime(brightest, precision='int8', calibration_dir=folder).open()


def test_an_image_that_is_damaged_ends_the_build_with_its_name(board, brightest, images):
    (images / '1.png').write_bytes(b'no picture')
    with pytest.raises(ConfigError, match=r'1\.png cannot be read'):
        board.runtime(brightest, precision='int8', calibration_dir=str(images)).open()
    assert board.engines() == []


def test_many_images_are_taken_evenly(tmp_path):
    for index in range(2 * MOST_IMAGES + 1):
        (tmp_path / f'{index:04d}.png').write_bytes(bytes([index % 251]))
    found = find_images(str(tmp_path))
    assert 0 < len(found.paths) <= MOST_IMAGES
    numbers = [int(Path(path).stem) for path in found.paths]
    assert {b - a for a, b in pairwise(numbers)} == {3}
