from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import resource
import stat

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import load_model_file, ModelFile, store
from espnet_ros.model_file.store import (
    find_model,
    models_folder,
    open_model,
    present_models,
    save_model_file,
)
import pytest


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of fetched models."""
    folder = tmp_path / 'fetched'
    folder.mkdir()
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(folder))
    return folder


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder in place of the models that ship with the package."""
    folder = tmp_path / 'shipped'
    folder.mkdir()
    monkeypatch.setattr(store, '_shipped_folder', lambda: folder)
    return folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b'')


def test_folder_is_that_of_the_users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('ESPNET_ROS_MODELS', raising=False)
    monkeypatch.setenv('XDG_DATA_HOME', str(tmp_path))
    assert models_folder() == tmp_path / 'espnet_ros' / 'models'


def test_another_folder_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ESPNET_ROS_MODELS', '~/nets')
    assert models_folder() == Path.home() / 'nets'


def test_shipped_models_come_first_then_the_preferred(fetched: Path, shipped: Path) -> None:
    touch(shipped, 'zebra.onnx')
    touch(fetched, 'ant.onnx', 'espnet_p2_q8_camvid.onnx', 'espnet_p2_q5_cityscapes.onnx')
    assert list(present_models()) == [
        'zebra',
        'espnet_p2_q5_cityscapes',
        'espnet_p2_q8_camvid',
        'ant',
    ]
    assert find_model('auto') == shipped / 'zebra.onnx'


def test_shipped_model_hides_a_fetched_one_of_its_name(fetched: Path, shipped: Path) -> None:
    touch(shipped, 'a.onnx')
    touch(fetched, 'a.onnx')
    assert present_models() == {'a': shipped / 'a.onnx'}


def test_what_is_no_model_is_not_listed(fetched: Path, shipped: Path) -> None:
    touch(fetched, '.17-5.part', '.hidden.onnx', 'notes.txt')
    (fetched / 'folder.onnx').mkdir()
    assert present_models() == {}


def test_folder_need_not_exist(
    tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(tmp_path / 'none'))
    assert present_models() == {}


def test_folder_that_is_a_file_is_refused(
    tmp_path: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, 'file')
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(tmp_path / 'file'))
    with pytest.raises(ModelError, match=r'cannot be read \(Not a directory\).*ESPNET_ROS_MODELS'):
        present_models()


def test_model_is_found_by_name_and_by_path(fetched: Path, shipped: Path) -> None:
    touch(fetched, 'a.onnx')
    assert find_model('a') == fetched / 'a.onnx'
    assert find_model(str(fetched / 'a.onnx')) == fetched / 'a.onnx'


@pytest.mark.parametrize(
    'name,message',
    [
        ('auto', r'no model on this machine.*models fetch espnet_p2_q8_cityscapes$'),
        ('espnet_p2_q3_cityscapes', r'get it with: espnet-ros models fetch espnet_p2_q3_city'),
        ('unet', r"no model 'unet': expected the path of a file, or one of espnet_p2_q8_city"),
        ('none/model.onnx', r"no model 'none/model.onnx': expected the path of a file"),
        ('', r"no model ''"),
        ('.', r"no model '.': expected the path of a file"),
    ],
)
def test_model_that_is_not_there_tells_how_to_get_one(
    name: str, message: str, fetched: Path, shipped: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        find_model(name)


def test_saved_model_is_read_back(channel_model: ModelFile, tmp_path: Path) -> None:
    path = save_model_file(channel_model, tmp_path / 'new' / 'folder' / 'a.onnx')
    assert load_model_file(path).sha256 == channel_model.sha256
    assert [entry.name for entry in path.parent.iterdir()] == ['a.onnx']


def test_saved_model_has_the_permissions_of_any_new_file(
    channel_model: ModelFile, tmp_path: Path
) -> None:
    touch(tmp_path, 'other')
    path = save_model_file(channel_model, tmp_path / 'a.onnx')
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / 'other').stat().st_mode)


def test_failed_save_leaves_what_was_there(channel_model: ModelFile, tmp_path: Path) -> None:
    (tmp_path / 'a.onnx').mkdir()
    with pytest.raises(ModelError, match=r'a.onnx: cannot be written \(Is a directory\)'):
        save_model_file(channel_model, tmp_path / 'a.onnx')
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.onnx']


def test_folder_in_the_way_of_a_file_is_refused(channel_model: ModelFile, tmp_path: Path) -> None:
    touch(tmp_path, 'file')
    with pytest.raises(ModelError, match=r'cannot be made or written to'):
        save_model_file(channel_model, tmp_path / 'file' / 'a.onnx')


@contextmanager
def small_files() -> Iterator[None]:
    """
    Let no file of this process grow beyond 100 bytes, as a full disk does.

    It holds for the one call alone: pytest's own report may go to a file.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_save_that_stops_half_way_leaves_nothing(channel_model: ModelFile, tmp_path: Path) -> None:
    words = r'a.onnx: cannot be written \(File too large\); free'
    with pytest.raises(ModelError, match=words), small_files():
        save_model_file(channel_model, tmp_path / 'a.onnx')
    assert list(tmp_path.iterdir()) == []


def test_how_to_feed_a_model_file_that_says_it_itself_is_told_to_change_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = 'espnet_p2_q8_camvid_street'
    assert open_model(name, ForeignModelSettings()).info.name == name
    assert not caplog.records
    open_model(name, ForeignModelSettings(class_names=('a', 'b'), scale=0.5))
    (record,) = caplog.records
    assert 'scale, class_names changes nothing' in record.getMessage()
