"""Recordings and results in object stores: servers of S3 and GCS on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import socket
import sys

import cv2
from espnet_ros.cli.main import main
from espnet_ros.fleet.stores import as_path, is_url
import numpy as np
import pytest


def test_file_addresses_are_paths_and_others_are_stores() -> None:
    assert as_path('file:///data/a%20b.mp4') == '/data/a b.mp4'
    assert [is_url(spec) for spec in ('s3://b/k', 'gs://b/k', 'file:///k', 'bag:/topic', '0')] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_store_that_nothing_reaches_is_one_line(
    channel_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ('--model', channel_model_path, '--output', tmp_path / 'out')
    assert main(['segment', 'nowhere://b/a.mp4', *map(str, words)]) == 2
    errors = capsys.readouterr().err
    assert 'nowhere://' in errors and errors.count('\n') == 1


@pytest.mark.parametrize('end', ['', '/'])
def test_a_second_run_into_a_store_finds_what_is_done(
    channel_model_path: Path, tmp_path: Path, end: str
) -> None:
    store = pytest.importorskip('fsspec', reason='reaches stores').filesystem('memory')
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((16, 32, 3), 90, np.uint8))
    words = ['segment', str(tmp_path / 'a.png'), '--model', str(channel_model_path)]
    root = f'memory://{tmp_path.name}'
    assert main([*words, '--output', root + end]) == 0
    before = {path: store.modified(path) for path in store.find(root) if '/a/' in path}
    assert before
    assert main([*words, '--output', root + end]) == 0
    after = {path: store.modified(path) for path in store.find(root) if '/a/' in path}
    assert after == before


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a server of S3 without buckets."""
    pytest.importorskip('s3fs', reason='reaches S3')
    server = pytest.importorskip('moto.server', reason='is an S3 server').ThreadedMotoServer(
        '127.0.0.1', 0
    )
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv('AWS_ENDPOINT_URL', f'http://{host}:{port}')
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'test')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'test')
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'us-east-1')
    yield 's3'
    server.stop()


@contextmanager
def gs_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run an emulator of Google Cloud Storage without buckets."""
    # Else gcsfs looks for zonal buckets by gRPC, for minutes, which the emulator has not.
    monkeypatch.setenv('GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT', 'false')
    pytest.importorskip('gcsfs', reason='reaches Google Cloud Storage')
    emulator = pytest.importorskip('gcp_storage_emulator.server', reason='is such a server')
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    server = emulator.create_server('127.0.0.1', port, in_memory=True)
    server.start()
    settings = {'token': 'anon', 'endpoint_url': f'http://127.0.0.1:{port}'}
    monkeypatch.setitem(sys.modules['fsspec'].config.conf, 'gs', settings)
    yield 'gs'
    server.stop()


@pytest.fixture(params=[s3_server, gs_server], ids=['s3', 'gs'])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an empty bucket of a server of this test."""
    with request.param(monkeypatch) as protocol:
        import fsspec

        kind = fsspec.get_filesystem_class(protocol)
        kind.clear_instance_cache()
        fsspec.filesystem(protocol).mkdir('drives')
        yield f'{protocol}://drives'
        kind.clear_instance_cache()


@pytest.mark.long
@pytest.mark.filterwarnings('ignore')
def test_recordings_of_a_bucket_are_done_once_and_their_summary_comes_last(
    bucket: str, channel_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    store = fsspec.filesystem(bucket.partition(':')[0])
    for index in range(2):
        image = np.full((16, 32, 3), (0, 0, 200 + index), np.uint8)
        cv2.imwrite(str(tmp_path / f'{index}.png'), image)
        store.put_file(str(tmp_path / f'{index}.png'), f'{bucket}/in/{index}.png')
    store.pipe_file(f'{bucket}/in/2.png', b'none')
    store.pipe_file(f'{bucket}/list.jsonl', b'\n'.join(
        json.dumps({'source': f'{bucket}/in/{i}.png'}).encode() for i in range(3)
    ))  # fmt: skip
    words = ('--model', channel_model_path, '--output', f'{bucket}/out', '--no-overlay')
    command = ['segment', f'{bucket}/list.jsonl', *map(str, words)]
    assert main(command) == 1
    store.invalidate_cache()
    assert store.exists(f'{bucket}/out/0/0_mask.png') and not store.exists(f'{bucket}/out/2')
    mask = cv2.imdecode(np.frombuffer(store.cat_file(f'{bucket}/out/1/1_mask.png'), np.uint8), -1)
    assert (mask == 2).all()
    found = store.find(f'{bucket}/out/0', detail=True).items()
    times = {name: entry.get('LastModified') or entry['updated'] for name, entry in found}
    assert times['drives/out/0/summary.json'] == max(times.values())
    store.rm_file(f'{bucket}/out/1/summary.json')
    capsys.readouterr()
    assert main(command) == 1
    assert '1 done by earlier runs' in capsys.readouterr().out, 'without summary it is not whole'
    summary = json.loads(store.cat_file(f'{bucket}/out/summary.json'))
    assert (summary['done'], summary['failed']) == (2, 1)
