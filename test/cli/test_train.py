"""The command ``train``, from a folder of labelled images to a mask."""

from __future__ import annotations

from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from io import StringIO
import json
from pathlib import Path
import shutil
import signal
import subprocess
import sys

import cv2
from espnet_ros.cli.main import main
from espnet_ros.cli.train.command import _network_arguments
from espnet_ros.cli.train.options import NetworkOptions
from espnet_ros.model_file import load_model_file
from espnet_ros.models.registry import create_model
from espnet_ros.training.distillation import open_teacher
from espnet_ros.training.trainer import _tell_fresh
from espnet_ros.training.weights.states import load_weights, save_weights
from espnet_ros.training.weights.transfer import open_initial_weights, transfer
import numpy as np
import pytest
import torch

from .conftest import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SIZE = (48, 64)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Let torch use one thread: for small networks more of them only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope='module')
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plain folder of images whose lower part is road."""
    root = tmp_path_factory.mktemp('data') / 'streets'
    for split, count in (('train', 6), ('val', 2)):
        for part in ('images', 'labels'):
            (root / part / split).mkdir(parents=True)
        for index in range(count):
            labels = np.zeros(SIZE, np.uint8)
            labels[16 + 4 * index :] = 1
            image = np.array([[220, 190, 170], [70, 70, 70]], np.uint8)[labels]
            assert cv2.imwrite(str(root / 'images' / split / f'{index}.png'), image)
            assert cv2.imwrite(str(root / 'labels' / split / f'{index}.png'), labels)
    (root / 'labels.yaml').write_text(
        'name: mine\nclasses:\n'
        '  - {name: sky, color: [70, 130, 180]}\n  - {name: road, color: [128, 64, 128]}\n'
    )
    return root


def options(streets: Path, output: Path) -> tuple[object, ...]:
    """Return the arguments of a short training."""
    return (
        'train', '--data', streets, '--output', output, '--alpha2', 1, '--alpha3', 1,
        '--epochs', 2, '--batch-size', 2, '--crop', '48,64', '--device', 'cpu',
        '--precision', 'fp32', '--name', 'mine', '--license', 'CC0-1.0',
    )  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A training that came to its end: where, and what it told meanwhile."""

    output: Path
    told: str


@pytest.fixture(scope='module')
def trained(streets: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return a short training from scratch, which several tests look at."""
    output = tmp_path_factory.mktemp('trained') / 'run'
    torch.set_num_threads(1)
    told = StringIO()
    with redirect_stderr(told):
        assert main([str(word) for word in options(streets, output)]) == 0, told.getvalue()
    return Trained(output, told.getvalue())


def test_a_folder_of_labelled_images_becomes_a_model_that_segments(
    cli: Run, streets: Path, trained: Trained, tmp_path: Path
) -> None:
    # From scratch the encoder comes first.
    assert trained.told.index('encoder: epoch 2') < trained.told.index('network: epoch 2')
    assert 'of 2 classes' in trained.told
    model = load_model_file(trained.output / 'mine.onnx')
    assert model.info.label_set.names == ('sky', 'road')
    assert model.info.input_size == SIZE
    assert model.info.license == 'CC0-1.0'
    assert model.info.training_set.startswith('streets train (')
    assert 'mIoU with void ignored' in model.info.accuracy
    assert 'mean over 2 of 2 classes' in model.info.accuracy
    record = json.loads((trained.output / 'mine.json').read_text())
    assert record['training']['recipe']['name'] == 'modern'
    assert set(record['validation']['class_iou']) == {'sky', 'road'}

    ended = cli(
        'segment', streets / 'images/val/0.png', '--model', trained.output / 'mine.onnx',
        '--runtime', 'onnxruntime', '--output', tmp_path / 'masks',
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert list((tmp_path / 'masks').glob('*.png'))


def test_the_same_command_again_has_nothing_left_to_train(
    cli: Run, streets: Path, trained: Trained, tmp_path: Path
) -> None:
    output = shutil.copytree(trained.output, tmp_path / 'run')
    before = (output / 'mine.onnx').read_bytes()
    ended = cli(*options(streets, output))
    assert ended.code == 0, ended.err
    assert 'epoch 1,' not in ended.err
    assert (output / 'mine.onnx').read_bytes() == before


def test_the_last_epoch_is_kept_beside_the_best(
    cli: Run, streets: Path, trained: Trained, tmp_path: Path
) -> None:
    output = shutil.copytree(trained.output, tmp_path / 'run')
    best = load_weights(output / 'network' / 'best.pth')
    last = load_weights(output / 'network' / 'last.pth')
    assert last.record['epoch'] == 2 == last.record['history'][-1][0]
    assert best.record['validation_miou'] == max(miou for *_, miou in best.record['history'])
    # As if the epochs differed: the model file has the weights that were asked for.
    first = next(key for key, tensor in last.state_dict.items() if tensor.ndim == 4)
    changed = {**last.state_dict, first: last.state_dict[first] + 1}
    save_weights(output / 'network' / 'last.pth', replace(last, state_dict=changed))
    assert cli(*options(streets, output), '--keep', 'last').code == 0
    assert torch.equal(
        open_initial_weights(str(output / 'mine.onnx')).state_dict[first], changed[first]
    )
    refused = cli(*options(streets, output), '--keep', 'first')
    assert refused.code == 2 and 'best' in refused.err and 'last' in refused.err


def test_training_starts_from_the_weights_of_another_one_and_takes_its_network(
    cli: Run, streets: Path, trained: Trained, tmp_path: Path
) -> None:
    best = open_initial_weights(str(trained.output / 'network' / 'best.pth'))
    model_file = open_initial_weights(str(trained.output / 'mine.onnx'))
    network = {'alpha2': 1, 'alpha3': 1, 'skip': 'reinforced_stem'}
    assert best.architecture_arguments == model_file.architecture_arguments == network
    for key, tensor in best.state_dict.items():
        assert not tensor.ndim or torch.equal(tensor, model_file.state_dict[key])

    output = tmp_path / 'other'
    words = [word for word in options(streets, output) if word not in ('--alpha2', '--alpha3', 1)]
    ended = cli(*words, '--initial', trained.output / 'mine.onnx')
    assert ended.code == 0, ended.err
    assert 'start fresh' not in ended.err
    assert not (output / 'encoder').exists()
    info = load_model_file(output / 'mine.onnx').info
    assert 'from weights of: streets train' in info.training_set
    assert dict(info.architecture_arguments).items() >= network.items()


def test_published_weights_keep_their_decoder_and_what_starts_fresh_is_told(
    streets: Path, shared_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = shared_data / 'weights' / 'espnet' / 'espnet_p_2_q_8.pth'
    initial = open_initial_weights(str(weights))
    arguments = _network_arguments(NetworkOptions(), 'espnet', initial)
    assert arguments.get('skip', 'stem') == 'stem'
    network = create_model('espnet', classes=2, **arguments)
    _tell_fresh('Cityscapes', transfer(initial.state_dict, network))
    assert 'start fresh' in caplog.text
    assert 'decoder.' in caplog.text and 'encoder.stem' not in caplog.text


def test_a_small_network_learns_from_a_better_one(
    cli: Run, streets: Path, trained: Trained, tmp_path: Path
) -> None:
    best = open_teacher(str(trained.output / 'network' / 'best.pth'))
    assert best.label_set.names == ('sky', 'road')
    output = tmp_path / 'pupil'
    ended = cli(
        *options(streets, output), '--teacher', trained.output / 'mine.onnx', '--distillation', 2,
        '--no-weighted', '--weight-offset', 1.2, '--architecture', 'espnet_c',
    )  # fmt: skip
    assert ended.code == 0, ended.err
    training = json.loads((output / 'mine.json').read_text())['training']
    assert training['teacher']
    loss = training['recipe']['stages'][0]['loss']
    assert (loss['distillation'], loss['weighted']) == (2.0, False)
    assert loss['weight_offset'] == 1.2


@pytest.mark.parametrize(
    ('words', 'told'),
    [(('--batch-size', 7), 'use a smaller batch'), (('--crop', '20,20'), 'multiples of 8')],
)
def test_a_try_that_is_refused_leaves_nothing_that_refuses_the_next(
    cli: Run, streets: Path, tmp_path: Path, words: tuple[object, ...], told: str
) -> None:
    ended = cli(*options(streets, tmp_path / 'run'), *words)
    assert ended.code == 2
    assert told in ended.err
    assert not (tmp_path / 'run' / 'training.json').exists()


@pytest.mark.long
def test_the_street_joins_at_a_size_of_its_own(cli: Run, tmp_path: Path) -> None:
    root = tmp_path / 'camvid'
    for split, count in (('train', 2), ('val', 1)):
        for index in range(count):
            for part, value in ((split, 90), (f'{split}annot', 3)):
                (root / part).mkdir(parents=True, exist_ok=True)
                picture = np.full((*SIZE, 3)[: 3 if part == split else 2], value, np.uint8)
                assert cv2.imwrite(str(root / part / f'{index}.png'), picture)
    ended = cli(
        *options(root, tmp_path / 'run'), '--synthetic', 2, '--synthetic-size', '96,160',
        '--aspect', 0.3,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    training = json.loads((tmp_path / 'run' / 'mine.json').read_text())['training']
    assert training['training_set'].endswith('and synthetic street 160x96')
    assert training['training_images'] == 4
    assert training['recipe']['stages'][0]['augmentation']['aspect'] == 0.3


def test_a_teacher_of_other_classes_is_refused_in_one_line(
    cli: Run, streets: Path, tmp_path: Path
) -> None:
    ended = cli(
        *options(streets, tmp_path / 'run'), '--teacher', 'espnet_p2_q8_camvid_street'
    )  # fmt: skip
    assert ended.code == 2
    assert 'expected the classes of the training data (sky, road), found sky' in ended.err
    assert ended.err.count('\n') == 1
    assert not (tmp_path / 'run').exists()


def test_other_arguments_do_not_go_on_with_a_training(
    cli: Run, streets: Path, trained: Trained
) -> None:
    ended = cli(*options(streets, trained.output), '--seed', 3)
    assert ended.code == 2
    assert 'another training was begun here (other seed)' in ended.err


@pytest.mark.parametrize(
    'network',
    [
        pytest.param(('enet',), marks=pytest.mark.long),
        pytest.param(('espnetv2', '--argument', 'scale=0.5'), marks=pytest.mark.long),
        ('espnet_c', '--alpha3', 1),
    ],
)
def test_other_networks_are_trained_likewise(
    cli: Run, streets: Path, tmp_path: Path, network: tuple[object, ...]
) -> None:
    ended = cli(
        'train', '--data', streets, '--output', tmp_path / 'run', '--name', 'mine', '--epochs', 1,
        '--batch-size', 2, '--device', 'cpu', '--architecture', *network,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    info = load_model_file(tmp_path / 'run' / 'mine.onnx').info
    assert info.architecture == network[0]
    assert info.input_size == SIZE


def test_ctrl_c_tells_how_to_go_on(streets: Path, tmp_path: Path) -> None:
    words = [str(word) for word in options(streets, tmp_path / 'run')]
    words[words.index('--epochs') + 1] = '9999'
    command = [sys.executable, '-m', 'espnet_ros.cli', *words]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if 'epoch 1' in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert 'interrupted; the same command resumes' in rest
    assert 'Traceback' not in rest
    assert (tmp_path / 'run' / 'encoder' / 'state.pth').is_file()


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (('--recipe', 'magic'), 'expected one of paper, modern'),
        (('--batch-size', 7), 'at least one batch of 7 images, found 6'),
        (('--schedule', 'steep'), 'schedule: expected one of'),
        (('--scales', '2,1'), 'a lowest and a highest factor'),
        (('--architecture', 'magicnet'), 'expected an architecture of'),
        (('--argument', 'magic=1'), 'magic'),
        (('--architecture', 'espnet_c', '--recipe', 'paper'), 'give --recipe modern'),
        (('--initial', 'nothing'), 'nothing'),
    ],
)
def test_wrong_usage_is_one_line(
    cli: Run, streets: Path, tmp_path: Path, wrong: tuple[object, ...], message: str
) -> None:
    ended = cli(*options(streets, tmp_path / 'run'), *wrong)
    assert ended.code in (1, 2)
    assert message in ended.err.splitlines()[-1]
    assert not (tmp_path / 'run' / 'mine.onnx').exists()


def test_an_average_needs_the_network_that_the_training_began_as(
    streets: Path, tmp_path: Path, cli: Run
) -> None:
    shipped = 'espnet_p2_q8_camvid_street'
    alone = cli(*options(streets, tmp_path / 'a'), '--average-with', shipped)
    assert alone.code == 2
    assert '--average-with: expected --initial too, found none' in alone.err
    other = cli(*options(streets, tmp_path / 'b'), '--initial', shipped, '--average-with', shipped)
    assert other.code == 2
    assert 'expected a network with the same tensors, found a difference at' in other.err
    assert not (tmp_path / 'b').exists()


def test_a_missing_label_file_is_named_before_anything_is_trained(
    cli: Run, streets: Path, tmp_path: Path
) -> None:
    cut = shutil.copytree(streets, tmp_path / 'streets')
    (cut / 'labels/train/3.png').unlink()
    ended = cli(*options(cut, tmp_path / 'run'))
    assert ended.code == 1
    assert '3.png: expected its labels' in ended.err
    assert not (tmp_path / 'run').exists()


@pytest.mark.long
def test_a_model_is_trained_on_images_that_another_one_labels(
    streets: Path, tmp_path: Path, cli: Run
) -> None:
    images = tmp_path / 'drive'
    shutil.copytree(streets / 'images' / 'train', images)
    for index in range(6, 30):
        shutil.copy(images / f'{index % 6}.png', images / f'{index}.png')
    output = tmp_path / 'here'
    arguments = (
        'train', '--pseudo-labels', 'espnet_p2_q8_camvid_street', '--unlabelled', images,
        '--output', output, '--size', '32,48', '--epochs', '1', '--batch-size', '2',
        '--crop', '16,24', '--alpha2', '1', '--alpha3', '1', '--initial',
        'espnet_p2_q8_camvid_street', '--conditions', '0.5', '--class-mix', '0.5',
    )  # fmt: skip
    found = cli(*arguments)
    assert found.code == 0, found.err
    assert len(list((output / 'pseudo_labels' / 'labels').iterdir())) == 30
    model = load_model_file(output / 'here.onnx')
    assert model.info.label_set.names[0] == 'sky'
    assert model.info.input_size == (32, 48)


def test_who_labels_and_what_belong_together(streets: Path, tmp_path: Path, cli: Run) -> None:
    alone = cli('train', '--output', tmp_path / 'a', '--unlabelled', streets / 'images' / 'train')
    assert alone.code != 0
    assert '--pseudo-labels names who labels, and --unlabelled what' in alone.err
    nothing = cli('train', '--output', tmp_path / 'b')
    assert nothing.code != 0
    assert 'expected --data, or --pseudo-labels with --unlabelled, found neither' in nothing.err


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (('--batch-size', 6), 'at least one batch of 6 images, found 5'),
        (('--batch-size', 2, '--crop', '17,24'), '--crop: expected multiples of'),
        (('--batch-size', 2, '--initial', 'nothing'), 'nothing'),
        (('--batch-size', 2, '--data'), 'expected the classes of'),
    ],
)
def test_what_cannot_be_trained_is_told_before_anything_is_labelled(
    streets: Path, tmp_path: Path, cli: Run, more: tuple[object, ...], said: str
) -> None:
    where = ('--unlabelled', streets / 'images' / 'train', '--output', tmp_path / 'run')
    words = (*more, streets) if more[-1] == '--data' else more
    ended = cli('train', '--pseudo-labels', 'espnet_p2_q8_camvid_street', *where, *words)
    assert ended.code != 0 and said in ended.err, ended.err
    assert not (tmp_path / 'run').exists()


@pytest.mark.long
def test_crops_of_slides_train_a_model(tmp_path: Path) -> None:
    tifffile = pytest.importorskip('tifffile', reason='reads slides')
    root = tmp_path / 'slides'
    random = np.random.default_rng(5)
    for split in ('train', 'val'):
        labels = np.kron(random.integers(0, 2, (5, 6)), np.ones((64, 64), int)).astype(np.uint8)
        image = np.array([[220, 190, 170], [70, 70, 70]], np.uint8)[labels]
        for part, array in (('images', image), ('labels', labels)):
            (root / part / split).mkdir(parents=True)
            how = {'photometric': 'rgb' if part == 'images' else 'minisblack', 'metadata': None}
            tifffile.imwrite(root / part / split / 's.tif', array, tile=(64, 64), **how)
    (root / 'labels.yaml').write_text(
        'name: mine\nclasses:\n- {name: a, color: [1, 0, 0]}\n- {name: b, color: [2, 0, 0]}\n'
    )
    words = (*options(root, tmp_path / 'run'), '--scales', '0.5,1')
    assert main([str(word) for word in words]) == 0
    model = load_model_file(tmp_path / 'run' / 'mine.onnx')
    # Windows are what the widest crop covers: a crop of 48x64 of an image half as large.
    assert model.info.input_size == (96, 128)
    assert '(12 images)' in model.info.accuracy, 'four windows down, three across, of 320x384'
