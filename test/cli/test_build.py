"""The verb build: engines, and quantised models, with a stand-in for TensorRT."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.model_file import load_model_file, store
import pytest

pytest.importorskip('onnxruntime', reason='the stand-in for TensorRT computes with it')

from espnet_ros.processing.codecs import write_image
from fake_tensorrt.board import Board, deeper_model, install_board, make_batch
import numpy as np
from nvidia_compiler import load_compiler


@pytest.fixture
def board(monkeypatch, tmp_path):
    yield from install_board(monkeypatch, tmp_path, '10.3.0')


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    path = tmp_path / 'brightest.onnx'
    path.write_bytes(deeper_model().data)
    return path


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Return a folder of images of 2x2 blocks."""
    folder = tmp_path / 'street'
    folder.mkdir()
    for index, image in enumerate(make_batch(6)):
        write_image(folder / f'{index}.png', np.ascontiguousarray(image))
    return folder


def test_an_engine_is_built_and_told(cli, board: Board, model_path: Path) -> None:
    ended = cli('build', '--model', model_path, '--engine-cache-dir', board.cache)
    assert ended.code == 0, ended.err
    assert 'brightest: fp16 on GPU 0; self-check: 100.00 % of the pixels' in ended.out
    assert len(board.engines()) == 1


def test_an_engine_that_is_kept_is_not_built_again(cli, board: Board, model_path: Path) -> None:
    for _ in range(2):
        ended = cli('build', '--model', model_path, '--engine-cache-dir', board.cache)
    assert 'kept since an earlier build' in ended.out


def test_an_engine_that_resizes_is_built_for_one_size(cli, board: Board, model_path: Path) -> None:
    asked = ('build', '--model', model_path, '--engine-cache-dir', board.cache)
    ended = cli(*asked, '--resize', 'device', '--image-size', '48,64')
    assert ended.code == 0, ended.err
    assert '64x48 resized to 32x16' in ended.err
    ended = cli(*asked, '--resize', 'device')
    assert ended.code == 2
    assert '--image-size HEIGHT,WIDTH together' in ended.err


def test_a_model_is_quantised_and_built(cli, board, model_path, street, tmp_path) -> None:
    target = tmp_path / 'small.onnx'
    ended = cli(
        *('build', '--model', model_path, '--precision', 'int8', '--calibration', street),
        *('--quantized', target, '--engine-cache-dir', board.cache),
    )
    assert ended.code == 0, ended.err
    assert 'int8 by 6 images' in ended.out
    assert 'brightest_int8: int8 on GPU 0' in ended.out
    assert load_model_file(target).is_quantized


def test_without_tensorrt_a_model_is_quantised_all_the_same(
    cli, board, model_path, street, tmp_path
) -> None:
    board.gpu.count = 0
    target = tmp_path / 'small.onnx'
    ended = cli('build', '--model', model_path, '--calibration', street, '--quantized', target)
    assert ended.code == 0, ended.err
    assert 'No engine was built on this machine: no CUDA device is visible' in ended.out
    assert target.is_file()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--quantized', 'a.onnx'], 'expected --calibration too'),
        (['--calibration', 'x', '--precision', 'fp16'], 'makes an int8 model'),
        (['--calibration', 'x', '--quantized', 'a.engine'], 'ends with .onnx'),
        (['--batch-size', '0'], 'whole number above 0'),
        (['--resize', 'device'], '--resize device and --image-size HEIGHT,WIDTH together'),
        (['--image-size', '48,64'], 'together, or neither'),
    ],
)
def test_wrong_usage_is_told(cli, model_path, arguments, words) -> None:
    ended = cli('build', '--model', model_path, *arguments)
    assert ended.code == 2
    assert words in ended.err


def test_int8_without_images_is_told(cli, board, model_path) -> None:
    ended = cli('build', '--model', model_path, '--precision', 'int8')
    assert ended.code == 1
    assert '--calibration' in ended.err


def test_doctor_checks_gpu_cache_and_engine(cli, board, model_path, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(store, '_shipped_folder', lambda: tmp_path / 'nothing')
    monkeypatch.setenv('XDG_CACHE_HOME', str(board.cache.parent))
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(model_path.parent))
    before = cli('doctor').out
    assert 'the first start builds it' in ' '.join(before.split())
    assert cli('build', '--model', model_path).code == 0
    after = ' '.join(cli('doctor').out.split())
    assert 'GPU 0 (compute capability 8.7), memory shared with the CPU' in after
    assert '1 engine' in after
    assert 'self-check: 100.00 % of the pixels agree' in after


def test_an_engine_for_rtx_cards_is_built_where_there_is_none(cli, board, model_path) -> None:
    load_compiler()
    board.use_rtx()
    asked = ('build', '--model', model_path, '--engine-cache-dir', board.cache)
    ended = cli(*asked, '--runtime', 'tensorrt_rtx')
    assert 'brightest: fp16 on GPU 0; self-check: 100.00 %' in ended.out, ended.err
    board.gpu.count = 0
    ended = cli(*asked, '--runtime', 'tensorrt_rtx', '--force-rebuild')
    assert ended.code == 0, ended.err
    (path,) = board.engines()
    assert f'{path}: brightest, for any supported GPU' in ended.out.replace('\n', '')
