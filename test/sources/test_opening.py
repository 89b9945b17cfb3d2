"""From what a user types to a source."""

from pathlib import Path

from espnet_ros.exceptions import InputError
from espnet_ros.sources import open_source
from espnet_ros.sources.webcam import webcam_index
import pytest


def test_missing_file_is_refused_with_what_is_possible(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no such file or folder; expected a video') as caught:
        open_source(str(tmp_path / 'none.mp4'))
    assert str(tmp_path / 'none.mp4') in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'this is not a video\n' * 100])
@pytest.mark.parametrize('name', ['notes.txt', 'clip.mp4', 'clip.avi'])
def test_file_that_is_neither_is_refused(
    tmp_path: Path, name: str, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match='expected an image, a video or a bag'):
        open_source(str(tmp_path / name))
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize(
    ('spec', 'index'),
    [('0', 0), ('12', 12), ('/dev/video3', 3), ('./0', None), ('0.png', None), ('-1', None)],
)
def test_webcams_are_told_from_files(spec: str, index: int | None) -> None:
    assert webcam_index(spec) == index


def test_webcam_that_is_not_there_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match='webcam 97: /dev/video97 is not there; cameras found'):
        open_source('97')
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize('rate_hz', [0.0, -1.0, float('nan'), float('inf')])
def test_rate_that_makes_no_sense_is_refused(tmp_path: Path, rate_hz: float) -> None:
    with pytest.raises(InputError, match='expected frames per second above 0'):
        open_source(str(tmp_path), rate_hz=rate_hz)


def test_size_for_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='files have a size of their own'):
        open_source(str(tmp_path), size=(10, 10))
