"""Learning from a teacher, against the definition and in whole trainings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.labels import LabelSet
from espnet_ros.training.data.augmentation import Augmentation
from espnet_ros.training.distillation import distillation_loss, read_teacher, Teacher
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import LossRecipe, Recipe
from espnet_ros.training.trainer import Trainer
import numpy as np
import pytest
import torch

from .test_resume import assert_same, make_job, STAGE, Stopper

# Enough for the colours of this data set.
LEARNS = replace(
    STAGE, epochs=12, learning_rate=2e-2, average_decay=0.0, augmentation=Augmentation((48, 64))
)


@pytest.fixture
def teacher(camvid: Path, tmp_path: Path) -> Teacher:
    stage = replace(LEARNS, loss=LossRecipe(weighted=False))
    Trainer(make_job(camvid, (stage,), save_every_s=1e9), tmp_path / 'teacher').run()
    return read_teacher(tmp_path / 'teacher' / 'network' / 'best.pth')


def make_pupil(camvid: Path, teacher: Teacher, **loss: float) -> TrainingJob:
    stage = replace(STAGE, loss=LossRecipe(weighted=False, **loss))  # type: ignore[arg-type]
    return replace(make_job(camvid), recipe=Recipe('pupil', (stage,)), teacher=teacher)


def test_the_distance_is_the_mean_divergence_of_the_pixels() -> None:
    generator = torch.Generator().manual_seed(1)
    pupil, teacher = torch.randn(2, 2, 3, 4, 5, generator=generator)
    p, q = teacher.softmax(1), pupil.softmax(1)
    expected = (p * (p.log() - q.log())).sum(1).mean()
    torch.testing.assert_close(distillation_loss(pupil, teacher), expected)
    assert distillation_loss(teacher, teacher + 3) < 1e-6


def test_a_teacher_of_another_size_is_resized() -> None:
    small = torch.zeros(1, 2, 4, 4)
    small[:, 1, :, 2:] = 9.0
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert distillation_loss(small, large) < 1e-3
    assert distillation_loss(-small, large) > 1


def test_a_pupil_learns_from_images_without_labels(
    camvid: Path, tmp_path: Path, teacher: Teacher
) -> None:
    void = np.full((48, 64), 11, np.uint8)
    for path in (camvid / 'trainannot').iterdir():
        assert cv2.imwrite(str(path), void)
    miou = []
    for weight in (0.0, 1.0):
        job = make_pupil(camvid, teacher, distillation=weight)
        stage = replace(LEARNS, loss=job.recipe.stages[0].loss)
        job = replace(job, recipe=Recipe('pupil', (stage,)), settings=RunSettings(seed=1))
        weights = Trainer(job, tmp_path / f'pupil_{weight}').run()
        miou.append(weights.record['history'][-1][-1])
    assert miou[0] < 0.4
    assert miou[1] > 0.8


def test_the_teacher_itself_does_not_change(
    camvid: Path, tmp_path: Path, teacher: Teacher
) -> None:
    before = {key: value.clone() for key, value in teacher.pipeline.state_dict().items()}
    Trainer(make_pupil(camvid, teacher), tmp_path / 'pupil').run()
    for key, value in teacher.pipeline.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_interrupted_and_resumed_with_a_teacher_gives_the_same_weights(
    camvid: Path, tmp_path: Path, teacher: Teacher
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_pupil(camvid, teacher), tmp_path / 'interrupted', [Stopper(4)]).run()
    resumed = Trainer(make_pupil(camvid, teacher), tmp_path / 'interrupted').run()
    assert_same(resumed, Trainer(make_pupil(camvid, teacher), tmp_path / 'whole').run())


def test_another_teacher_does_not_go_on_with_a_training(
    camvid: Path, tmp_path: Path, teacher: Teacher
) -> None:
    Trainer(make_pupil(camvid, teacher), tmp_path / 'run').run()
    other = replace(teacher, name='another')
    with pytest.raises(ConfigError, match=r'another training was begun here .*teacher'):
        Trainer(make_pupil(camvid, other), tmp_path / 'run')


def test_a_teacher_of_other_classes_is_refused(camvid: Path, teacher: Teacher) -> None:
    strange = replace(teacher, label_set=LabelSet.from_names(('ground', 'obstacle')))
    with pytest.raises(ConfigError, match=r'teacher espnet .*found ground, obstacle; train it'):
        make_pupil(camvid, strange)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'teacher.pth'
    path.write_bytes(b'no weights')
    with pytest.raises(ModelError, match=r'teacher\.pth'):
        read_teacher(path)
