"""A training that was killed goes on to the weights of one that was not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import subprocess
import sys
import textwrap

import cv2
from espnet_ros.datasets.camvid import open_camvid
from espnet_ros.exceptions import ConfigError, InferenceError, InputError, ModelError
from espnet_ros.training.data.augmentation import Augmentation
from espnet_ros.training.devices import choose_compute
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import LossRecipe, Recipe, Stage
from espnet_ros.training.reporting import EpochReport, StepReport
from espnet_ros.training.trainer import Trainer
from espnet_ros.training.weights.states import load_weights, TrainedWeights
import numpy as np
import pytest
import torch

STAGE = Stage(
    'network',
    'espnet',
    epochs=3,
    batch_size=2,
    augmentation=Augmentation((32, 40), (0.8, 1.25), brightness=0.2),
    loss=LossRecipe(hard_share=0.7, dice=0.5),
    learning_rate=2e-3,
    weight_decay=1e-2,
    warmup_epochs=1,
    average_decay=0.9,
)

KILLED = textwrap.dedent("""
    import os
    from pathlib import Path
    import signal
    import sys

    sys.path.insert(0, sys.argv[3])
    from test_resume import make_job
    from espnet_ros.training.trainer import Trainer


    class Killer:
        def on_step(self, report):
            if report.step == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        def on_epoch(self, report):
            pass


    Trainer(make_job(Path(sys.argv[1])), Path(sys.argv[2]), [Killer()]).run()
""")


class Stopper:
    """Ends a training after a step, as an interrupt does."""

    def __init__(self, step: int = 0, epoch: int = 0) -> None:
        self._step = step
        self._epoch = epoch

    def on_step(self, report: StepReport) -> None:
        if report.step == self._step:
            raise KeyboardInterrupt

    def on_epoch(self, report: EpochReport) -> None:
        if report.epoch == self._epoch:
            raise KeyboardInterrupt


def make_job(
    root: Path, stages: tuple[Stage, ...] = (STAGE,), save_every_s: float = 0.0, seed: int = 1
) -> TrainingJob:
    """Return a training of a small ESPNet, whose state is saved after every step."""
    return TrainingJob(
        Recipe('test', stages),
        open_camvid(root, 'train'),
        open_camvid(root, 'val'),
        RunSettings(seed=seed, save_every_s=save_every_s),
        choose_compute('cpu', 'fp32'),
        {'alpha2': 1, 'alpha3': 1},
    )


def assert_same(one: TrainedWeights, other: TrainedWeights) -> None:
    """Check that two trainings ended with the same weights, to the bit."""
    assert one.record == other.record
    assert list(one.state_dict) == list(other.state_dict)
    for key, tensor in one.state_dict.items():
        assert torch.equal(tensor, other.state_dict[key]), key


@pytest.fixture
def uninterrupted(camvid: Path, tmp_path: Path) -> Callable[..., TrainedWeights]:
    """Return what trains without a pause."""

    def train(**keywords: object) -> TrainedWeights:
        return Trainer(make_job(camvid, **keywords), tmp_path / 'whole').run()  # type: ignore[arg-type]

    return train


def test_killed_and_resumed_gives_the_same_weights(
    camvid: Path, tmp_path: Path, uninterrupted: Callable[..., TrainedWeights]
) -> None:
    folder = tmp_path / 'killed'
    command = [sys.executable, '-c', KILLED, camvid, folder, Path(__file__).parent]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr
    assert not list(folder.glob('network/best.pth.tmp'))
    assert_same(Trainer(make_job(camvid), folder).run(), uninterrupted())


@pytest.mark.parametrize('step', [2, 3, 7])
def test_interrupted_anywhere_and_resumed_gives_the_same_weights(
    camvid: Path, tmp_path: Path, uninterrupted: Callable[..., TrainedWeights], step: int
) -> None:
    folder = tmp_path / 'interrupted'
    # States are rarer than steps here, so some steps are computed twice.
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid, save_every_s=1e9), folder, [Stopper(step)]).run()
    assert_same(Trainer(make_job(camvid), folder).run(), uninterrupted())


@pytest.mark.parametrize('epoch', [1, 3])
def test_interrupted_between_epochs_and_resumed_gives_the_same_weights(
    camvid: Path, tmp_path: Path, uninterrupted: Callable[..., TrainedWeights], epoch: int
) -> None:
    folder = tmp_path / 'interrupted'
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid, save_every_s=1e9), folder, [Stopper(epoch=epoch)]).run()
    assert_same(Trainer(make_job(camvid), folder).run(), uninterrupted())


def test_interrupted_while_validating_and_resumed_gives_the_same_weights(
    camvid: Path,
    tmp_path: Path,
    uninterrupted: Callable[..., TrainedWeights],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / 'interrupted'
    with monkeypatch.context() as patch:
        patch.setattr('espnet_ros.training.stage_run.validate', interrupt)
        with pytest.raises(KeyboardInterrupt):
            Trainer(make_job(camvid), folder).run()
    assert_same(Trainer(make_job(camvid), folder).run(), uninterrupted())


def test_validation_images_without_labels_are_refused(camvid: Path, tmp_path: Path) -> None:
    void = np.full((48, 64), 11, np.uint8)
    for path in (camvid / 'valannot').iterdir():
        assert cv2.imwrite(str(path), void)
    with pytest.raises(InputError, match='CamVid val: expected labelled pixels'):
        Trainer(make_job(camvid), tmp_path / 'run').run()


def test_two_stages_hand_over_the_encoder_and_resume(
    camvid: Path, tmp_path: Path, uninterrupted: Callable[..., TrainedWeights]
) -> None:
    encoder = Stage(
        'encoder', 'espnet_c', 1, 2, STAGE.augmentation, optimizer='adam', full_size_labels=False
    )
    stages = (encoder, STAGE)
    folder = tmp_path / 'interrupted'
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid, stages), folder, [Stopper(4)]).run()
    assert load_weights(folder / 'encoder' / 'best.pth').architecture == 'espnet_c'
    assert not (folder / 'encoder' / 'state.pth').exists()
    assert_same(Trainer(make_job(camvid, stages), folder).run(), uninterrupted(stages=stages))


def test_a_finished_training_is_not_done_again(camvid: Path, tmp_path: Path) -> None:
    first = Trainer(make_job(camvid), tmp_path / 'run').run()
    again = Trainer(make_job(camvid), tmp_path / 'run', [Stopper(1)]).run()
    assert_same(first, again)


def test_training_learns(camvid: Path, tmp_path: Path) -> None:
    stage = Stage(
        'network',
        'espnet',
        epochs=12,
        batch_size=2,
        augmentation=Augmentation((48, 64)),
        loss=LossRecipe(weighted=False),
        learning_rate=2e-2,
    )
    weights = Trainer(make_job(camvid, (stage,), save_every_s=1e9), tmp_path / 'run').run()
    losses = [loss for _, loss, _ in weights.record['history']]
    assert losses[-1] < 0.25 * losses[0]
    assert weights.record['validation_miou'] > 0.85


def test_other_arguments_in_the_same_folder_are_refused(camvid: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid), folder, [Stopper(1)]).run()
    with pytest.raises(ConfigError, match=r'another training was begun here .*seed'):
        Trainer(make_job(camvid, seed=2), folder)


def test_a_damaged_state_is_named(camvid: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    with pytest.raises(KeyboardInterrupt):
        Trainer(make_job(camvid), folder, [Stopper(2)]).run()
    state = folder / 'network' / 'state.pth'
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r'state\.pth: damaged'):
        Trainer(make_job(camvid), folder).run()


def test_a_loss_that_is_no_number_ends_the_training(camvid: Path, tmp_path: Path) -> None:
    stage = Stage(
        'network', 'espnet', 1, 2, STAGE.augmentation, optimizer='sgd', learning_rate=1e30
    )
    with pytest.raises(InferenceError, match='loss is not a number at step'):
        Trainer(make_job(camvid, (stage,)), tmp_path / 'run').run()


def test_resumed_with_bf16_gives_the_same_weights(camvid: Path, tmp_path: Path) -> None:
    def job() -> TrainingJob:
        whole = make_job(camvid)
        return TrainingJob(
            whole.recipe,
            whole.train,
            whole.validation,
            whole.settings,
            choose_compute('cpu', 'bf16'),
            whole.architecture_arguments,
        )

    with pytest.raises(KeyboardInterrupt):
        Trainer(job(), tmp_path / 'interrupted', [Stopper(5)]).run()
    resumed = Trainer(job(), tmp_path / 'interrupted').run()
    assert_same(resumed, Trainer(job(), tmp_path / 'whole').run())
