"""The verb export: checkpoints and foreign ONNX files to model files."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, TensorProto
import pytest

from .conftest import read_mask, stripe_labels

pytestmark = pytest.mark.slow


@pytest.fixture
def foreign_path(tmp_path: Path) -> Path:
    """Return an ONNX file from an RGB image of 0..1 to logits: its class is the channel."""
    graph = helper.make_graph(
        [helper.make_node('Identity', ['input'], ['logits'])],
        'foreign',
        [helper.make_tensor_value_info('input', TensorProto.FLOAT, [1, 3, 16, 32])],
        [helper.make_tensor_value_info('logits', TensorProto.FLOAT, [1, 3, 16, 32])],
    )
    path = tmp_path / 'foreign.onnx'
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9), path
    )
    return path


def test_foreign_file_becomes_a_model_file_that_segments(
    cli, foreign_path: Path, photos: Path, tmp_path: Path
) -> None:
    model = tmp_path / 'mine.onnx'
    names = 'red,green,blue'
    ended = cli('export', foreign_path, '--output', model, '--class-names', names)
    assert ended.code == 0, ended.err
    assert 'mine, 3 classes, 32x16' in ended.out
    ended = cli('segment', photos, '--model', model, '--output', tmp_path / 'out')
    assert ended.code == 0, ended.err
    assert np.array_equal(read_mask(tmp_path / 'out' / 'a_mask.png'), 2 - stripe_labels())
    assert 'mine' in cli('models', 'show', model).out


def test_foreign_file_segments_without_export(
    cli, foreign_path: Path, photos: Path, tmp_path: Path
) -> None:
    ended = cli(
        'segment',
        photos,
        '--model',
        foreign_path,
        '--channel-order',
        'bgr',
        '--class-names',
        'blue,green,red',
        '--output',
        tmp_path / 'out',
    )
    assert ended.code == 0, ended.err
    assert np.array_equal(read_mask(tmp_path / 'out' / 'a_mask.png'), stripe_labels())


def test_label_set_gives_names_and_colours(cli, foreign_path: Path, tmp_path: Path) -> None:
    labels = tmp_path / 'labels.yaml'
    labels.write_text(
        'name: rgb\nclasses:\n- {name: r, color: [255, 0, 0]}\n'
        '- {name: g, color: [0, 255, 0]}\n- {name: b, color: [0, 0, 255]}\n',
        encoding='utf-8',
    )
    model = tmp_path / 'mine.onnx'
    words = ['--label-set', labels, '--name', 'colours']
    assert cli('export', foreign_path, '--output', model, *words).code == 0
    shown = cli('models', 'show', model).out
    assert 'colours' in shown
    assert 'label set rgb' in shown


def test_size_that_the_file_does_not_take_is_refused(
    cli, foreign_path: Path, tmp_path: Path
) -> None:
    model = tmp_path / 'mine.onnx'
    ended = cli(
        'export',
        foreign_path,
        '--output',
        model,
        '--input-size',
        '32,32',
        '--class-names',
        'a,b,c',
    )
    assert ended.code == 2
    assert '--input-size' in ended.err
    assert not model.exists()


def test_source_is_never_overwritten(cli, foreign_path: Path) -> None:
    before = foreign_path.read_bytes()
    ended = cli('export', foreign_path, '--output', foreign_path)
    assert ended.code == 2
    assert foreign_path.read_bytes() == before


def test_output_must_be_called_as_a_model_file(cli, foreign_path: Path, tmp_path: Path) -> None:
    ended = cli('export', foreign_path, '--output', tmp_path / 'mine.pth')
    assert ended.code == 2
    assert 'ends with .onnx' in ended.err


def test_checkpoint_that_is_none_is_an_error(cli, tmp_path: Path) -> None:
    pytest.importorskip('torch')
    checkpoint = tmp_path / 'a.pth'
    checkpoint.write_bytes(b'nothing')
    ended = cli('export', checkpoint, '--output', tmp_path / 'a.onnx')
    assert ended.code == 1
    assert not (tmp_path / 'a.onnx').exists()


def test_checkpoint_takes_no_normalisation(cli, tmp_path: Path) -> None:
    ended = cli('export', tmp_path / 'a.pth', '--output', tmp_path / 'a.onnx', '--mean', '1')
    assert ended.code == 2
    assert '--mean' in ended.err


def test_published_checkpoint_is_exported_at_the_size_asked_for(
    cli, shared_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip('torch')
    checkpoint = shared_data / 'weights' / 'espnet' / 'espnet_c_p_2_q_3.pth'
    model = tmp_path / 'small.onnx'
    ended = cli('export', checkpoint, '--output', model, '--input-size', '256,512')
    assert ended.code == 0, ended.err
    assert 'small, 20 classes, 512x256' in ended.out


def test_published_checkpoint_segments_on_the_fly(
    cli, shared_data: Path, tmp_path: Path, published_model, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an export gives is tested above and elsewhere; a kept one saves half a minute.
    model = published_model('espnet_p2_q8_camvid')
    exported: list[Path] = []
    monkeypatch.setattr(
        'espnet_ros.export.onnx_export.export_checkpoint',
        lambda path: exported.append(path) or model,
    )
    checkpoint = shared_data / 'weights' / 'espnet' / 'espnet_p_2_q_8_camvid.pth'
    image = shared_data / 'camvid' / 'val' / '0016E5_07959.png'
    ended = cli('segment', image, '--model', checkpoint, '--output', tmp_path / 'out')
    assert ended.code == 0, ended.err
    assert exported == [checkpoint]
    truth = read_mask(shared_data / 'camvid' / 'valannot' / image.name)
    mask = read_mask(tmp_path / 'out' / f'{image.stem}_mask.png')
    labelled = truth != 11
    assert (mask == truth)[labelled].mean() > 0.8
