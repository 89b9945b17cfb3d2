"""The scores of ESPNet's encoder are taught beside those of the whole network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from espnet_ros.evaluation.report import make_report
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.training.data.augmentation import Augmentation
from espnet_ros.training.recipes import LossRecipe
from espnet_ros.training.trainer import Trainer
from espnet_ros.training.validation import validate
from espnet_ros.training.weights.states import TrainedWeights
from espnet_ros.training.weights.transfer import transfer
import pytest

from .test_resume import assert_same, make_job, STAGE, Stopper

pytestmark = pytest.mark.slow


def miou_of_encoder(weights: TrainedWeights, camvid: Path) -> float:
    """Return how good the encoder's own scores are, 0 to 1."""
    encoder = create_model('espnet_c', classes=12, alpha2=1, alpha3=1)
    transfer(weights.state_dict, encoder)
    job = make_job(camvid)
    pipeline = SegmentationPipeline(encoder.eval(), weights.normalization)
    counts = validate(pipeline, job.validation, job.compute).counts
    return make_report(counts, job.validation.label_set, 6).miou.void_ignored


@pytest.mark.long
def test_only_with_it_the_encoder_learns_to_segment_alone(camvid: Path, tmp_path: Path) -> None:
    miou = []
    for weight in (0.0, 1.0):
        stage = replace(
            STAGE,
            epochs=24,
            learning_rate=2e-2,
            average_decay=0.0,
            augmentation=Augmentation((48, 64)),
            loss=LossRecipe(weighted=False, auxiliary=weight),
        )
        job = make_job(camvid, (stage,), save_every_s=1e9)
        miou.append(miou_of_encoder(Trainer(job, tmp_path / f'{weight}').run(), camvid))
    assert miou[0] < 0.3
    assert miou[1] > 0.5


def test_interrupted_and_resumed_gives_the_same_weights(camvid: Path, tmp_path: Path) -> None:
    stage = replace(STAGE, loss=LossRecipe(auxiliary=1.0))
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid, (stage,)), tmp_path / 'interrupted', [Stopper(4)]).run()
    resumed = Trainer(make_job(camvid, (stage,)), tmp_path / 'interrupted').run()
    assert_same(resumed, Trainer(make_job(camvid, (stage,)), tmp_path / 'whole').run())
