"""The verb models: list, fetch, show."""

import json
from pathlib import Path
import re
import shutil

from espnet_ros.model_file.published import PUBLISHED
import pytest


@pytest.mark.usefixtures('store')
def test_list_names_every_published_model_and_how_to_get_one(cli) -> None:
    ended = cli('models', 'list')
    assert ended.code == 0
    for model in PUBLISHED:
        assert model.name in ended.out
    assert 'espnet-ros models fetch' in ended.out


def test_list_tells_which_models_are_here(cli, store: Path, channel_model_path: Path) -> None:
    store.mkdir()
    shutil.copy(channel_model_path, store / 'channels.onnx')
    (store / 'damaged.onnx').write_bytes(b'no model')
    ended = cli('models', 'list', '--json')
    assert ended.code == 0
    here = {model['name']: model for model in json.loads(ended.out) if model['path']}
    assert here['channels']['classes'] == 3
    assert 'damaged.onnx' in ended.err


def test_show_tells_all_that_the_file_says(cli, channel_model_path: Path) -> None:
    ended = cli('models', 'show', channel_model_path)
    assert ended.code == 0
    for told in ('channels', '16 x 32', 'Apache-2.0', 'blue', 'green', 'red'):
        assert told in ended.out
    content = json.loads(cli('models', 'show', channel_model_path, '--json').out)
    assert content['input_size'] == [16, 32]
    assert [c['name'] for c in content['label_set']['classes']] == ['blue', 'green', 'red']


def test_shown_and_listed_models_have_no_words_that_nobody_reads(cli) -> None:
    shown = cli('models', 'show', 'espnet_p2_q8_camvid_street')
    assert shown.code == 0
    assert re.search(r'^self check +yes$', shown.out, re.MULTILINE)
    assert max(len(word) for word in shown.out.split()) < 200
    listed = cli('models', 'list')
    assert re.search(r'^espnet_p2_q8_camvid_street .* MIT +yes', listed.out, re.MULTILINE)


@pytest.mark.usefixtures('store')
def test_show_of_a_model_that_is_not_here_says_how_to_get_it(cli) -> None:
    ended = cli('models', 'show', PUBLISHED[0].name)
    assert ended.code == 1
    assert f'espnet-ros models fetch {PUBLISHED[0].name}' in ended.err


@pytest.mark.usefixtures('store')
def test_unknown_name_is_not_fetched(cli) -> None:
    ended = cli('models', 'fetch', 'nobody')
    assert ended.code == 2
    assert PUBLISHED[0].name in ended.err


def test_changed_weights_are_not_kept(
    cli, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('torch')
    mirror = tmp_path / 'mirror'
    (mirror / 'espnet').mkdir(parents=True)
    for model in PUBLISHED[:2]:
        (mirror / 'espnet' / model.file_name).write_bytes(b'changed')
    monkeypatch.setenv('ESPNET_ROS_MIRROR', str(mirror))
    ended = cli('models', 'fetch', PUBLISHED[0].name, PUBLISHED[1].name)
    assert ended.code == 1
    assert 'expected sha256' in ended.err
    assert ended.err.splitlines()[-1] == 'espnet-ros: 2 of 2 models were not fetched'
    assert not list(store.glob('*'))


def test_fetched_model_segments(
    cli,
    store: Path,
    shared_data: Path,
    published_model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('ESPNET_ROS_MIRROR', str(shared_data / 'weights'))
    name = 'espnet_p2_q8_cityscapes'
    # Exports are tested elsewhere; a kept one saves half a minute.
    model = published_model(name)
    monkeypatch.setattr('espnet_ros.export.onnx_export.export_checkpoint', lambda _: model)
    ended = cli('models', 'fetch', name)
    assert ended.code == 0, ended.err
    assert str(store / f'{name}.onnx') in ended.out
    (frame,) = (shared_data / 'frames').glob('*.png')
    ended = cli('segment', frame, '--output', store.parent / 'out')
    assert ended.code == 0, ended.err
    assert 'road' in ended.out
    assert name in ended.out
