"""Fresh decoders start as an enlargement of the encoder's scores; trained ones stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from espnet_ros.training.trainer import Trainer
from espnet_ros.training.weights.transfer import read_initial_weights
import pytest
import torch

from .test_resume import make_job, STAGE

UP = 'decoder.up1.weight'
STILL = replace(STAGE, epochs=1, learning_rate=1e-9, average_decay=0.0, enlarging_start=True)


def test_a_fresh_decoder_repeats_pixels(camvid: Path, tmp_path: Path) -> None:
    job = make_job(camvid, (STILL,))
    weights = Trainer(job, tmp_path / 'enlarging').run()
    repeats = torch.eye(12)[:, :, None, None].expand(12, 12, 2, 2)
    torch.testing.assert_close(weights.state_dict[UP], repeats, atol=1e-6, rtol=0)
    plain = replace(STILL, enlarging_start=False)
    weights = Trainer(make_job(camvid, (plain,)), tmp_path / 'plain').run()
    assert (weights.state_dict[UP] - repeats).abs().max() > 0.5


@pytest.mark.parametrize('origin', ['another training', 'the stage before'])
def test_a_trained_decoder_stays(camvid: Path, tmp_path: Path, origin: str) -> None:
    learns = replace(STAGE, name='first')
    if origin == 'the stage before':
        ended = Trainer(make_job(camvid, (learns, STILL)), tmp_path / 'both').run()
        before = read_initial_weights(tmp_path / 'both' / 'first' / 'best.pth')
    else:
        Trainer(make_job(camvid, (learns,)), tmp_path / 'one').run()
        before = read_initial_weights(tmp_path / 'one' / 'first' / 'best.pth')
        job = replace(make_job(camvid, (STILL,)), initial=before)
        ended = Trainer(job, tmp_path / 'other').run()
    torch.testing.assert_close(ended.state_dict[UP], before.state_dict[UP], atol=1e-6, rtol=0)
