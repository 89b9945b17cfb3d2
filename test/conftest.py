"""What every test may use: the shared data, and a model file small enough to reason about."""

from __future__ import annotations

from collections.abc import Callable
import functools
import gc
import hashlib
import os
from pathlib import Path
import signal

from channel_model import make_channel_model
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import load_model_file, ModelFile, ModelInfo
from espnet_ros.model_file.file_format import load_onnx
import onnx
from onnx import helper
import pytest
import time_limits

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let nothing hang, and leave thousands of collected tests alone until they are all there."""
    config.pluginmanager.register(time_limits)
    # Scripts start what runs in the background with SIGINT ignored, and so would our children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on, but not among what was collected."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Return the folder of weights, images, clips and golden label maps."""
    root = Path(os.environ.get('ESPNET_ROS_SHARED', ROOT.parent / 'shared'))
    if not (root / 'data').is_dir():
        pytest.skip(f'no shared data at {root} (ESPNET_ROS_SHARED)')
    return root / 'data'


@pytest.fixture(scope='session')
def kept_export(pytestconfig: pytest.Config) -> Callable[..., ModelFile]:
    """
    Return a function that gives an export by name, made where it is not kept yet.

    Exports are kept in pytest's cache for as long as exporter, torch and what is exported stay
    the same.
    """
    torch = pytest.importorskip('torch', reason='exporting networks needs torch')
    pytest.importorskip('onnxscript', reason='exporting networks needs onnxscript')
    from espnet_ros.model_file.store import save_model_file

    patterns = (
        'models/**/*.py',
        'export/onnx_export.py',
        'export/graph_cleanup.py',
        'export/tracing.py',
        'model_file/published.py',
        'model_file/file_format.py',
        'model_file/model_info.py',
        'labels/*.py',
        'labelsets/*.yaml',
    )
    code = sorted(path for pattern in patterns for path in (ROOT / 'espnet_ros').glob(pattern))
    folder = Path(pytestconfig.cache.mkdir('published_models'))
    exporter = hashlib.sha256(f'{torch.__version__} {onnx.__version__}'.encode())
    for path in code:
        exporter.update(path.read_bytes())

    def get(name: str, exported: bytes, export: Callable[[], ModelFile]) -> ModelFile:
        key = exporter.copy()
        key.update(exported)
        path = folder / f'{name}-{key.hexdigest()[:16]}.onnx'
        if not path.is_file():
            for old in folder.glob(f'{name}-*.onnx'):
                old.unlink()
            save_model_file(export(), path)
        return load_model_file(path)

    return get


@pytest.fixture(scope='session')
def published_model(
    shared_data: Path, kept_export: Callable[..., ModelFile]
) -> Callable[[str], ModelFile]:
    """Return a function that gives the model file of published weights by name."""
    from espnet_ros.export.onnx_export import export_checkpoint
    from espnet_ros.model_file.published import find_published

    @functools.cache
    def get(name: str) -> ModelFile:
        weights = shared_data / 'weights' / find_published(name).mirror_path
        return kept_export(name, weights.read_bytes(), lambda: export_checkpoint(weights))

    return get


@pytest.fixture(scope='session')
def channel_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the model file of :func:`make_channel_model`."""
    info = ModelInfo(
        name='channels',
        architecture='foreign',
        architecture_arguments=(),
        input_size=(16, 32),
        label_set=LabelSet.from_names(('blue', 'green', 'red')),
        training_set='none',
        license='Apache-2.0',
    )
    proto = make_channel_model()
    helper.set_model_props(proto, info.to_metadata())
    path = tmp_path_factory.mktemp('models') / 'channels.onnx'
    onnx.save(proto, path)
    return path


@pytest.fixture(scope='session')
def channel_model(channel_model_path: Path) -> ModelFile:
    """Return the model file of :func:`make_channel_model`, loaded."""
    proto, sha256 = load_onnx(channel_model_path)
    properties = {p.key: p.value for p in proto.metadata_props}
    info = ModelInfo.from_metadata(properties, str(channel_model_path))
    return ModelFile(info, proto, sha256, channel_model_path)
