from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

from espnet_ros.exceptions import DownloadError, ModelError, RuntimeUnavailableError
from espnet_ros.export import fetch
from espnet_ros.export.fetch import fetch_model
from espnet_ros.model_file import load_model_file, ModelFile, published
from espnet_ros.model_file.published import ESPNET, find_published
from espnet_ros.model_file.store import find_model, present_models, save_model_file
import pytest

NAME = 'espnet_c_p2_q3_cityscapes'
MODEL = find_published(NAME)


@pytest.fixture
def exporter() -> None:
    """Skip where published weights cannot be exported."""
    pytest.importorskip('torch', reason='exporting published weights needs torch')
    pytest.importorskip('onnxscript', reason='exporting published weights needs onnxscript')


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of fetched models."""
    folder = tmp_path / 'models'
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(folder))
    monkeypatch.delenv('ESPNET_ROS_MIRROR', raising=False)
    for proxy in ('http_proxy', 'https_proxy', 'all_proxy'):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    return folder


@pytest.fixture
def mirror(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty mirror folder that stands in for the network."""
    folder = tmp_path / 'mirror'
    (folder / 'espnet').mkdir(parents=True)
    monkeypatch.setenv('ESPNET_ROS_MIRROR', str(folder))
    return folder


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder; a file called FILE.half is sent as FILE, but stops half way."""

    stopped = threading.Event()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file, or half of it and then nothing."""
        half = Path(self.translate_path(self.path) + '.half')
        if not half.exists():
            super().do_GET()
            return
        data = half.read_bytes()
        self.send_response(200)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self.stopped.wait(60)


@pytest.fixture
def server(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder that a web server in place of the authors' repository serves."""
    folder = tmp_path / 'served'
    (folder / ESPNET.repository / ESPNET.commit / Path(MODEL.path).parent).mkdir(parents=True)
    QuietHandler.stopped.clear()
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        address = f'http://127.0.0.1:{http.server_port}'
        monkeypatch.setattr(published, 'RAW', address)
        yield folder / ESPNET.repository / ESPNET.commit / Path(MODEL.path).parent
        QuietHandler.stopped.set()
        http.shutdown()
        thread.join()


def weights(shared_data: Path) -> Path:
    return shared_data / 'weights' / 'espnet' / MODEL.file_name


@pytest.mark.usefixtures('exporter')
def test_download_becomes_a_model_file(server: Path, models: Path, shared_data: Path) -> None:
    shutil.copy(weights(shared_data), server / Path(MODEL.path).name)
    steps: list[tuple[int, int]] = []
    path = fetch_model(NAME, progress=lambda *step: steps.append(step))
    assert path == models / f'{NAME}.onnx' == find_model(NAME)
    assert load_model_file(path).info.weights_sha256 == MODEL.sha256
    assert len(steps) > 10
    assert steps == sorted(steps)
    assert steps[-1] == (MODEL.size_bytes, MODEL.size_bytes)
    assert [entry.name for entry in models.iterdir()] == [path.name]


@pytest.mark.usefixtures('mirror')
def test_what_is_fetched_is_not_fetched_again(
    models: Path, published_model: Callable[[str], ModelFile]
) -> None:
    """The mirror is empty: a second fetch would fail."""
    path = save_model_file(published_model(NAME), models / f'{NAME}.onnx')
    assert fetch_model(NAME) == path


@pytest.mark.usefixtures('exporter', 'mirror')
@pytest.mark.parametrize('content', ['half', 'other weights'])
def test_what_is_not_the_model_is_fetched_again(
    content: str, models: Path, channel_model: ModelFile
) -> None:
    """The mirror is empty: a second fetch fails."""
    path = save_model_file(channel_model, models / f'{NAME}.onnx')
    if content == 'half':
        path.write_bytes(channel_model.data[:100])
    with pytest.raises(DownloadError, match=r'cannot be read'):
        fetch_model(NAME)


@pytest.mark.usefixtures('exporter')
def test_changed_file_in_the_mirror_is_refused(
    mirror: Path, models: Path, shared_data: Path
) -> None:
    data = bytearray(weights(shared_data).read_bytes())
    data[-1] ^= 1
    (mirror / 'espnet' / MODEL.file_name).write_bytes(data)
    with pytest.raises(DownloadError, match=rf'expected sha256 {MODEL.sha256}, found [0-9a-f]+'):
        fetch_model(NAME)
    assert list(models.iterdir()) == []


@pytest.mark.usefixtures('exporter')
def test_changed_download_is_refused_and_not_kept(
    server: Path, models: Path, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / 'temporary'
    temporary.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(temporary))
    data = bytearray(weights(shared_data).read_bytes())
    data[1000] ^= 1
    (server / Path(MODEL.path).name).write_bytes(data)
    with pytest.raises(DownloadError, match=rf'expected sha256 {MODEL.sha256}, found another'):
        fetch_model(NAME)
    assert list(models.iterdir()) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures('exporter')
def test_file_that_is_not_in_the_mirror_is_told_by_path(mirror: Path) -> None:
    with pytest.raises(DownloadError, match=rf'espnet/{MODEL.file_name}: cannot be read .*unset'):
        fetch_model(NAME)


@pytest.mark.usefixtures('exporter')
def test_file_that_the_server_lacks_is_told(server: Path, models: Path) -> None:
    with pytest.raises(DownloadError, match=r'\(HTTP status 404\); check the network'):
        fetch_model(NAME)
    assert list(models.iterdir()) == []


@pytest.mark.usefixtures('exporter')
def test_without_network_it_says_what_to_do(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, 'RAW', 'http://127.0.0.1:9')
    with pytest.raises(DownloadError, match=r'\(no connection\).*ESPNET_ROS_MIRROR'):
        fetch_model(NAME)


@pytest.mark.usefixtures('exporter')
def test_download_that_stalls_is_given_up(
    server: Path, models: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, 'TIMEOUT_S', 0.2)
    shutil.copy(weights(shared_data), server / f'{Path(MODEL.path).name}.half')
    with pytest.raises(DownloadError, match=r'cannot be downloaded from http://127'):
        fetch_model(NAME)
    assert list(models.iterdir()) == []


@pytest.mark.usefixtures('exporter')
def test_killed_fetch_leaves_no_model(server: Path, models: Path, shared_data: Path) -> None:
    shutil.copy(weights(shared_data), server / f'{Path(MODEL.path).name}.half')
    code = (
        'from espnet_ros.export import fetch\n'
        'from espnet_ros.model_file import published\n'
        f'published.RAW = {published.RAW!r}\n'
        f'fetch.fetch_model({NAME!r}, progress=lambda *step: print(*step, flush=True))\n'
    )
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert present_models().get(NAME) is None
    assert list(models.iterdir()) == []


@pytest.mark.usefixtures('exporter', 'mirror')
def test_folder_that_cannot_be_made_is_told_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'file').write_bytes(b'')
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(tmp_path / 'file' / 'models'))
    with pytest.raises(ModelError, match=r'file/models: cannot be made.*ESPNET_ROS_MODELS'):
        fetch_model(NAME)


def test_without_torch_it_says_how_to_go_on(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, 'find_spec', lambda module: None)
    with pytest.raises(RuntimeUnavailableError) as caught:
        fetch_model(NAME)
    message = str(caught.value)
    assert "needs torch and onnxscript: pip install 'espnet_ros[torch]'" in message
    assert f'copy {NAME}.onnx to {models}' in message


def test_unknown_name_is_refused(models: Path) -> None:
    with pytest.raises(ModelError, match=r"no published model 'resnet'"):
        fetch_model('resnet')
