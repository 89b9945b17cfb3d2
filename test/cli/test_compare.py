"""The verb compare: agreement, pictures of differences, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import cv2
from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import save_model_file
import onnx
import pytest

from .conftest import files_in, read_json


@pytest.fixture
def swapped_model(channel_model: ModelFile, tmp_path: Path) -> Path:
    """Return the channel model with every logit negated: its class is the darkest channel."""
    proto = onnx.load_model_from_string(channel_model.data)
    (scale,) = (i for i in proto.graph.initializer if i.name == 'scale')
    scale.CopyFrom(onnx.helper.make_tensor('scale', onnx.TensorProto.FLOAT, [], [-1 / 32]))
    path = tmp_path / 'swapped.onnx'
    onnx.save(proto, path)
    return path


def test_model_agrees_with_itself_on_two_runtimes(
    cli, channel_model_path: Path, photos: Path, tmp_path: Path
) -> None:
    report = tmp_path / 'report.json'
    ended = cli(
        'compare',
        f'{channel_model_path}@openvino:fp32',
        f'{channel_model_path}@onnxruntime',
        photos,
        '--require',
        '100',
        '--json',
        report,
    )
    assert ended.code == 0, ended.err
    assert '100.000 % of pixels agree on 2 images' in ended.out
    record = read_json(report)
    assert record['agreement_percent'] == 100
    assert [record['a']['runtime'], record['b']['runtime']] == ['openvino', 'onnxruntime']
    assert [c['iou'] for c in record['classes']] == [1, None, 1]


def test_differences_are_counted_drawn_and_refused(
    cli, channel_model_path: Path, swapped_model: Path, photos: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / 'pictures'
    ended = cli(
        'compare',
        channel_model_path,
        swapped_model,
        photos,
        '--require',
        '1',
        '--output',
        pictures,
    )
    assert ended.code == 1
    assert '0.000 % of pixels agree, required are 1 %' in ended.err
    assert files_in(pictures) == {'a_difference.png', 'b_difference.png'}
    picture_bgr = cv2.imread(str(pictures / 'a_difference.png'))
    assert (picture_bgr == (255, 0, 255)).all()


def test_places_of_the_resize_are_compared(
    cli, channel_model_path: Path, photos: Path, tmp_path: Path
) -> None:
    report = tmp_path / 'report.json'
    both = [f'{channel_model_path}@onnxruntime:{where}' for where in ('host', 'device')]
    ended = cli('compare', *both, photos, '--require', '99', '--json', report)
    assert ended.code == 0, ended.err
    record = read_json(report)
    assert [record['a']['resize'], record['b']['resize']] == ['host', 'device']


def test_broken_images_are_listed(cli, channel_model_path: Path, photos: Path) -> None:
    (photos / 'broken.png').write_bytes(b'')
    ended = cli('compare', channel_model_path, channel_model_path, photos)
    assert ended.code == 1
    assert 'broken.png' in ended.err
    assert 'on 2 images' in ended.out


@pytest.mark.usefixtures('swapped_model')
def test_several_sources_get_a_row_each_and_a_total_though_one_fails(
    cli, channel_model_path: Path, photos: Path, clip: Path, tmp_path: Path
) -> None:
    torn, report, out = tmp_path / 'torn.mp4', tmp_path / 'report.json', tmp_path / 'out'
    torn.write_bytes(clip.read_bytes()[:100])
    both = [f'{path}@onnxruntime' for path in (channel_model_path, tmp_path / 'swapped.onnx')]
    words = ('compare', *both)
    alone = []
    for source in (photos, clip):
        assert cli(*words, source, '--json', report).code == 0
        alone.append(read_json(report))
    ended = cli(*words, photos, torn, clip, '--json', report, '--output', out)
    assert ended.code == 1
    assert '1 of 3 sources failed' in ended.err.splitlines()[-1]
    assert [line for line in ended.err.splitlines() if line.startswith('failed: torn: ')]
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines() if line.strip()}
    assert (rows['photos'][0], rows['clip'][0], rows['total'][0]) == ('2', '8', '10')
    record = read_json(report)
    assert record['sources'] == alone
    differing = [sum(image['differing_pixels'] for image in each['images']) for each in alone]
    assert str(sum(differing)) == rows['total'][-1] and min(differing) > 0
    assert [Path(entry['source']).name for entry in record['failed']] == ['torn.mp4']
    names = files_in(out)
    assert {'photos/a_difference.png', 'photos/b_difference.png'} <= names
    assert len([name for name in names if name.startswith('clip/')]) == 8


def test_models_of_other_classes_are_not_compared(
    cli, channel_model: ModelFile, channel_model_path: Path, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'other.onnx'
    info = channel_model.info.__class__(
        **{**vars(channel_model.info), 'label_set': LabelSet.from_names(('x', 'y', 'z'))}
    )
    save_model_file(channel_model.with_info(info), other)
    ended = cli('compare', channel_model_path, other, photos)
    assert ended.code == 2
    assert 'same classes' in ended.err


def test_contenders_are_read() -> None:
    common = RuntimeSettings(threads=3)
    for text, model, said in (
        ('auto', 'auto', {}),
        ('auto@torch', 'auto', {'runtime': 'torch'}),
        ('a.onnx@openvino:bf16', 'a.onnx', {'runtime': 'openvino', 'precision': 'bf16'}),
        ('a@openvino:device', 'a', {'runtime': 'openvino', 'resize': 'device'}),
        (
            'a@openvino:device:fp32',
            'a',
            {'runtime': 'openvino', 'precision': 'fp32', 'resize': 'device'},
        ),
        ('a@auto:auto:host', 'a', {'resize': 'host'}),
        ('me@home/a.onnx', 'me@home/a.onnx', {}),
    ):
        found = parse_contender(text)
        assert found.model == model
        assert found.settings(common) == replace(common, **said)


@pytest.mark.parametrize(
    'text', ['auto@abacus', 'auto@torch:fp12', '@torch', 'a@torch:fp32:fp16', 'a@torch:']
)
def test_unknown_runtimes_and_precisions_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='MODEL@RUNTIME:PRECISION'):
        parse_contender(text)
