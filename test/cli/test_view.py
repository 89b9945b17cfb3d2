"""The command view: what it refuses, and that it ends in order."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys
from urllib.request import urlopen

from espnet_ros.cli.main import main
import pytest

pytest.importorskip('aiohttp', reason='the live view needs aiohttp (extra web)')

from ..conftest import ROOT


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ([], 'expected a SOURCE, or --ros'),
        (['drive.mp4', '--ros'], 'expected a SOURCE, or --ros'),
        (['--ros', '--once'], '--once and --rate are of a SOURCE'),
        (['absent.mp4'], 'absent.mp4'),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['view', *arguments]) != 0
    told = capsys.readouterr().err.strip()
    assert words in told and '\n' not in told


@pytest.mark.slow
def test_it_shows_images_until_it_is_ended(channel_model_path: Path, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / 'red.png'), np.full((32, 48, 3), (0, 0, 200), np.uint8))
    model = ['--model', str(channel_model_path), '--runtime', 'onnxruntime', '--port', '0']
    command = [sys.executable, '-m', 'espnet_ros.cli', 'view', str(tmp_path), *model]
    with subprocess.Popen(
        [*command, '--rate', '5'], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r'http://127\.0\.0\.1:\d+/', line)
            assert address is not None, line
            with urlopen(f'{address[0]}overlay.jpg?alpha=0', timeout=60) as picture:
                image_bgr = cv2.imdecode(np.frombuffer(picture.read(), np.uint8), -1)
            assert abs(image_bgr.reshape(-1, 3).mean(0) - (0, 0, 200)).max() < 4
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
