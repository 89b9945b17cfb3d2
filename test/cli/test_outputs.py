"""Nothing is lost at the end: outputs are checked before the work, odd names end no run."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

import cv2
from espnet_ros.cli.output import OutputFolder
from espnet_ros.cli.segment import inputs
from espnet_ros.sources import Frame, Source
import onnx
from onnx import helper, TensorProto
import pytest

from .conftest import files_in, read_json, Run, stripe_labels, stripes


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return a data set of one image of the channel model's classes."""
    root = tmp_path / 'data'
    for folder, array in (('images', stripes()), ('labels', stripe_labels())):
        (root / folder / 'val').mkdir(parents=True)
        cv2.imwrite(str(root / folder / 'val' / 'a.png'), array)
    classes = ', '.join(
        f'{{name: {name}, color: [{index}, 0, 0]}}'
        for index, name in enumerate(('blue', 'green', 'red'))
    )
    (root / 'labels.yaml').write_text(f'name: channels\nclasses: [{classes}]\n')
    return root


def test_json_that_cannot_be_written_is_told_before_the_work(
    cli: Run,
    labelled: Path,
    channel_model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work(*_: object) -> None:
        pytest.fail('the work had begun')

    monkeypatch.setattr('espnet_ros.cli.evaluate.set_scorer._count', work)
    monkeypatch.setattr('espnet_ros.cli.compare.pair.Pair._add', work)
    monkeypatch.setattr('espnet_ros.cli.bench.command._measure_models', work)
    path = tmp_path / 'gone' / 'a.json'
    for words in (
        ('evaluate', '--data', labelled, '--model', channel_model_path, '--json', path),
        ('evaluate', '--data', labelled, '--model', channel_model_path, '--json', tmp_path),
        ('compare', channel_model_path, channel_model_path, 'synthetic', '--json', path),
        ('bench', channel_model_path, '--json', path),
        ('bench', channel_model_path, '--plot', path),
    ):
        ended = cli(*words)
        assert ended.code == 1, ended.err
        assert 'there is no folder' in ended.err or 'it is a folder' in ended.err
        assert ended.err.count('\n') == 1


def test_a_result_that_cannot_be_written_in_the_end_was_shown_before(
    cli: Run,
    labelled: Path,
    channel_model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('espnet_ros.cli.output.write_atomically', refuse)
    words = ('--data', labelled, '--model', channel_model_path, '--json', tmp_path / 'a.json')
    ended = cli('evaluate', *words)
    assert ended.code == 1
    assert 'mean IoU' in ended.out


def test_a_name_that_is_not_utf8_is_segmented_and_escaped_in_json(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    folder = tmp_path / 'photos'
    folder.mkdir()
    data = cv2.imencode('.png', stripes())[1].tobytes()
    for name in (b'a.png', b'b\xff.png'):
        Path(os.fsdecode(bytes(folder) + b'/' + name)).write_bytes(data)
    out = tmp_path / 'out'
    ended = cli('segment', folder, '--model', channel_model_path, '--output', out)
    assert ended.code == 0, ended.err
    names = [image['name'] for image in read_json(out / 'summary.json')['images']]
    assert names == ['a', 'b\udcff']


def test_a_video_whose_name_is_not_utf8_is_refused_in_one_line(
    cli: Run, clip: Path, tmp_path: Path, channel_model_path: Path
) -> None:
    odd = clip.rename(os.fsdecode(bytes(tmp_path) + b'/b\xff.mp4'))
    ended = cli('segment', odd, '--model', channel_model_path, '--output', tmp_path / 'out')
    assert ended.code == 1
    assert 'not UTF-8; rename it' in ended.err and ended.err.count('\n') == 1


def test_a_name_that_is_too_long_ends_no_run(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in ('a', 'b' * 248, 'c', 'd' * 242):
        cv2.imwrite(str(folder / f'{name}.png'), stripes())
    out = tmp_path / 'out'
    ended = cli('segment', folder, '--model', channel_model_path, '--output', out, '--no-overlay')
    assert ended.code == 1
    summary = read_json(out / 'summary.json')
    assert [image['name'][0] for image in summary['images']] == ['a', 'c', 'd']
    assert [broken['name'][0] for broken in summary['broken']] == ['b']


def test_json_keeps_the_spaces_of_names(tmp_path: Path) -> None:
    content = {'name': 'shot [ 1, 2 ]', 'size': [3, 4]}
    path = OutputFolder(tmp_path / 'out', 'none').write_json('a.json', content)
    assert json.loads(path.read_text()) == content
    assert '[3, 4]' in path.read_text()


def test_an_empty_argument_is_not_the_current_folder(cli: Run, tmp_path: Path) -> None:
    ended = cli('segment', '', '--output', tmp_path / 'out')
    assert ended.code == 2
    assert 'found an empty argument' in ended.err
    assert not (tmp_path / 'out').exists()


def test_an_id_without_a_name_is_told_by_segment_and_evaluate(
    cli: Run, labelled: Path, tmp_path: Path
) -> None:
    # Nothing in this graph tells how many ids there are: the red channel is the id.
    nodes = [
        helper.make_node('Split', ['x', 'parts'], ['red', 'rest'], axis=1),
        helper.make_node('Cast', ['red'], ['y'], to=TensorProto.INT64),
    ]
    graph = helper.make_graph(
        nodes,
        'ids',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 3, 16, 32])],
        [helper.make_tensor_value_info('y', TensorProto.INT64, [1, 1, 16, 32])],
        [helper.make_tensor('parts', TensorProto.INT64, [2], [1, 2])],
    )
    opsets = [helper.make_opsetid('', 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / 'm.onnx')
    words = ('--model', tmp_path / 'm.onnx', '--class-names', 'blue,green,red')
    out = tmp_path / 'out'
    ended = cli('segment', 'synthetic', '--limit', 1, *words, '--output', out)
    assert ended.code == 1
    assert 'but there are 3 names of classes' in ended.err
    ended = cli('evaluate', '--data', labelled, *words)
    assert ended.code == 1
    assert 'but there are 3 names of classes' in ended.err


@pytest.mark.parametrize('command', ['segment', 'evaluate', 'export'])
def test_fewer_names_than_a_file_has_classes_are_told_before_the_work(
    cli: Run, labelled: Path, shared_data: Path, tmp_path: Path, command: str
) -> None:
    model = shared_data / 'faults' / 'mmseg_style.onnx'
    words = {
        'segment': ('synthetic', '--limit', 1, '--model', model),
        'evaluate': ('--data', labelled, '--model', model),
        'export': (model,),
    }[command]
    out = () if command == 'evaluate' else ('--output', tmp_path / 'out.onnx')
    ended = cli(command, *words, *out, '--class-names', 'blue,green,red')
    assert ended.code == 1
    assert 'expected as many class_names as the file has classes, 19, found 3' in ended.err
    assert not files_in(tmp_path / 'out.onnx')


class TerminatedCamera(Source):
    """Gives frames for ever, and is sent TERM at the tenth."""

    def __init__(self) -> None:
        super().__init__('camera', rate_hz=10.0, size=(32, 64))

    def _frames(self) -> Iterator[Frame]:
        index = 0
        while True:
            if index == 10:
                os.kill(os.getpid(), signal.SIGTERM)
            yield Frame(f'frame_{index}', index, stripes(32, 64))
            index += 1


def test_term_keeps_what_was_done_as_ctrl_c_does(
    cli: Run, channel_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, 'open_source', lambda spec, **_: TerminatedCamera())
    out = tmp_path / 'out'
    ended = cli('segment', '0', '--model', channel_model_path, '--output', out)
    assert ended.code == 130
    assert files_in(out) == {'webcam_0_overlay.mp4', 'results.jsonl', 'summary.json'}
    assert read_json(out / 'summary.json')['frames'] >= 5


@pytest.mark.parametrize(
    ('before', 'after'), [('PYTHONIOENCODING=ascii', ''), ('', '>&-'), ('', '2>&-')]
)
def test_terminals_without_our_letters_and_closed_streams_end_nothing(
    tmp_path: Path, channel_model_path: Path, before: str, after: str
) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), stripes())
    out = tmp_path / 'out'
    command = (
        f'{before} {sys.executable} -m espnet_ros.cli segment {tmp_path / "a.png"} '
        f'--model {channel_model_path} --output {out} {after}'
    )
    ended = subprocess.run(command, shell=True, capture_output=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert b'Traceback' not in ended.stderr
    assert (out / 'summary.json').is_file()


def test_only_what_dead_runs_had_begun_is_removed(tmp_path: Path) -> None:
    own = [f'.{os.getpid()}-part-video.mp4', f'.{os.getpid()}-7.part', '.part', 'mine.part']
    for name in (*own, '.999999999-part-video.mp4', 'below/.999999999-7.part'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    OutputFolder(tmp_path)
    assert files_in(tmp_path) == set(own)
