"""The command ``evaluate``, on images whose classes are told by their brightest channel."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import cv2
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import save_model_file
import numpy as np
import pytest

from .conftest import Run

SIZE = (16, 32)


def make_data(root: Path, wrong_columns: int = 0) -> Path:
    """Write three images of two halves, blue and red, of whose truth some columns are wrong."""
    (root / 'images').mkdir(parents=True)
    (root / 'labels').mkdir()
    (root / 'images' / 'val').mkdir()
    (root / 'labels' / 'val').mkdir()
    (root / 'labels.yaml').write_text(
        'name: channels\nclasses:\n'
        '  - {name: blue, color: [0, 0, 255]}\n'
        '  - {name: green, color: [0, 255, 0]}\n'
        '  - {name: red, color: [255, 0, 0]}\n'
        'groupings:\n  warmth:\n    cold: [blue, green]\n    warm: [red]\n'
    )
    labels = np.zeros(SIZE, np.uint8)
    labels[:, SIZE[1] // 2 :] = 2
    image = np.zeros((*SIZE, 3), np.uint8)
    image[labels == 0, 0] = image[labels == 2, 2] = 250
    labels[0] = 255
    for index in range(3):
        truth = labels.copy()
        truth[1:, : index * wrong_columns] = 1
        assert cv2.imwrite(str(root / f'images/val/{index}.png'), image)
        assert cv2.imwrite(str(root / f'labels/val/{index}.png'), truth)
    return root


def test_a_perfect_model_has_100_percent(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    record_path = tmp_path / 'report.json'
    ended = cli(
        'evaluate', '--data', make_data(tmp_path / 'data'), '--model', channel_model_path,
        '--runtime', 'onnxruntime', '--json', record_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert 'mean IoU 100.00 (void ignored)' in ended.out
    record = json.loads(record_path.read_text())
    assert record['images'] == 3
    assert record['miou']['void_ignored'] == 100.0
    assert record['miou']['void_as_false_positive'] == pytest.approx(93.75)
    assert record['class_iou'] == {'blue': 100.0, 'green': None, 'red': 100.0}
    assert record['groupings']['warmth']['iou'] == {'cold': 100.0, 'warm': 100.0}
    assert record['model']['name'] == 'channels'
    assert 'channels on onnxruntime fp32, 3 images' in ended.out
    assert record['runtime']['precision'] == 'fp32' and record['runtime']['device']


def test_the_worst_images_are_drawn_worst_first(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    pictures = tmp_path / 'pictures'
    ended = cli(
        'evaluate', '--data', make_data(tmp_path / 'data', wrong_columns=4), '--model',
        channel_model_path, '--runtime', 'onnxruntime', '--pictures', pictures, '--worst', 2,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    names = sorted(path.name for path in pictures.iterdir())
    assert names == ['confusion.png', 'confusion_warmth.png', 'worst_1_2.jpg', 'worst_2_1.jpg']
    picture = cv2.imread(str(pictures / 'worst_1_2.jpg'))
    assert picture.shape[0] == SIZE[0]
    assert picture.shape[1] > 3 * SIZE[1]


def test_a_requirement_that_is_not_met_fails(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    arguments = (
        'evaluate', '--data', make_data(tmp_path / 'data', wrong_columns=4), '--model',
        channel_model_path, '--runtime', 'onnxruntime',
    )  # fmt: skip
    assert cli(*arguments, '--require', 10).code == 0
    ended = cli(*arguments, '--require', 99)
    assert ended.code == 1
    assert 'required are 99 %' in ended.err


def test_a_model_of_other_classes_is_refused(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    data = make_data(tmp_path / 'data')
    yaml = (data / 'labels.yaml').read_text()
    (data / 'labels.yaml').write_text(yaml.replace('green', 'leaf'))
    ended = cli('evaluate', '--data', data, '--model', channel_model_path)
    assert ended.code == 2
    assert 'expected a model of the classes' in ended.err
    assert len(ended.err.splitlines()) == 1


def save_warm_model(channel_model: ModelFile, folder: Path) -> Path:
    """Write the channel model with the grouping of the data, its groups in another order."""
    groups = (('warm', ('red',)), ('cold', ('blue', 'green')))
    label_set = replace(channel_model.info.label_set, groupings=(('warmth', groups),))
    model = channel_model.with_info(replace(channel_model.info, label_set=label_set))
    return save_model_file(model, folder / 'warm.onnx')


def test_data_of_another_label_set_is_scored_by_the_groups_that_both_have(
    cli: Run, tmp_path: Path, channel_model: ModelFile
) -> None:
    """Reds are taken for warm, which the data calls fire; 4 of 16 blue columns are called ash."""
    path = save_warm_model(channel_model, tmp_path)
    data = make_data(tmp_path / 'data', wrong_columns=4)
    yaml = (data / 'labels.yaml').read_text()
    for before, after in (('green', 'ash'), ('red', 'fire')):
        yaml = yaml.replace(before, after)
    (data / 'labels.yaml').write_text(yaml)
    words = ('evaluate', '--data', data, '--model', path, '--runtime', 'onnxruntime')
    refused = cli(*words)
    assert refused.code == 2 and '--by warmth' in refused.err
    json_path = tmp_path / 'report.json'
    ended = cli(*words, '--by', 'warmth', '--json', json_path)
    assert ended.code == 0, ended.err
    record = json.loads(json_path.read_text())
    assert record['class_iou'] == {'cold': 100.0, 'warm': 100.0}
    assert record['miou']['void_ignored'] == 100.0
    wrong = cli(*words, '--by', 'categories')
    assert wrong.code == 2 and 'found warmth' in wrong.err


def test_a_broken_label_file_is_named_and_nothing_is_written(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    data = make_data(tmp_path / 'data')
    (data / 'labels/val/1.png').write_bytes(b'broken')
    record = tmp_path / 'report.json'
    ended = cli(
        'evaluate', '--data', data, '--model', channel_model_path, '--json', record,
        '--runtime', 'onnxruntime',
    )  # fmt: skip
    assert ended.code == 1
    assert '1.png: expected a whole PNG' in ended.err
    assert not record.exists()


def test_several_data_sets_get_a_row_each_and_a_total_though_some_fail(
    cli: Run, tmp_path: Path, channel_model_path: Path
) -> None:
    """The figures of each are those that it has alone; the total is of all pixels together."""
    for name, wrong in (('east', 0), ('west', 4), ('other', 0), ('torn', 0)):
        make_data(tmp_path / name, wrong_columns=wrong)
    yaml = tmp_path / 'other' / 'labels.yaml'
    yaml.write_text(yaml.read_text().replace('green', 'leaf'))
    (tmp_path / 'torn' / 'labels/val/1.png').write_bytes(b'broken')
    (tmp_path / 'more.txt').write_text('torn\nwest\n')
    path, pictures = tmp_path / 'report.json', tmp_path / 'pictures'
    words = ('--model', channel_model_path, '--runtime', 'onnxruntime', '--json', path)
    alone = []
    for name in ('east', 'west'):
        assert cli('evaluate', '--data', tmp_path / name, *words).code == 0
        alone.append(json.loads(path.read_text()))
    ended = cli(
        'evaluate', '--data', tmp_path / 'east', tmp_path / 'other', '--data',
        f'@{tmp_path}/more.txt', *words, '--pictures', pictures,
    )  # fmt: skip
    assert ended.code == 1
    assert '2 of 4 data sets failed' in ended.err.splitlines()[-1]
    failed = [line for line in ended.err.splitlines() if line.startswith('failed: ')]
    assert len(failed) == 2 and 'leaf' in failed[0] and '1.png' in failed[1]
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines() if line.strip()}
    assert rows['east'][:2] == ['3', '100.00'] and rows['total'][0] == '6'
    record = json.loads(path.read_text())
    worst = [entry.pop('worst_images') for entry in record['sets']]
    assert [len(names) for names in worst] == [3, 3]
    assert record['sets'] == [{k: v for k, v in r.items() if k != 'worst_images'} for r in alone]
    together = np.add(alone[0]['confusion'], alone[1]['confusion'])
    assert record['total']['confusion'] == together.tolist() and together.sum() == 6 * 16 * 32
    assert [Path(entry['data']).name for entry in record['failed']] == ['other', 'torn']
    names = {str(p.relative_to(pictures)) for p in pictures.rglob('*.png')}
    assert names >= {'confusion.png', 'east/confusion.png', 'west/confusion.png'}
    assert cli('evaluate', '--data', tmp_path / 'west', tmp_path / 'east', *words, '--require',
               99).code == 1  # fmt: skip


def test_a_folder_of_nothing_known_is_wrong_usage(cli: Run, tmp_path: Path) -> None:
    ended = cli('evaluate', '--data', tmp_path)
    assert ended.code == 2
    assert 'valannot/ (camvid)' in ended.err


@pytest.mark.slow
def test_published_camvid_weights_have_their_accuracy(
    cli: Run, tmp_path: Path, shared_data: Path, published_model
) -> None:
    """70.10 mIoU and 92.68 pixel accuracy were measured with the authors' code."""
    model = published_model('espnet_p2_q8_camvid').path
    record_path = tmp_path / 'report.json'
    ended = cli(
        'evaluate', '--data', shared_data / 'camvid', '--split', 'val', '--model', model,
        '--runtime', 'openvino', '--precision', 'fp32', '--json', record_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    record = json.loads(record_path.read_text())
    assert record['miou']['void_ignored'] == pytest.approx(70.10, abs=0.05)
    assert record['pixel_accuracy'] == pytest.approx(92.68, abs=0.02)


def test_conditions_are_scored_told_and_drawn(
    cli: Run, tmp_path: Path, channel_model: ModelFile
) -> None:
    def evaluate(name: str, *more: object) -> tuple[str, dict]:
        ended = cli(
            'evaluate', '--data', data, '--model', model_path, '--runtime', 'onnxruntime',
            '--json', tmp_path / f'{name}.json', '--pictures', tmp_path / name, *more,
        )  # fmt: skip
        assert ended.code == 0, ended.err
        return ended.out, json.loads((tmp_path / f'{name}.json').read_text())

    data = make_data(tmp_path / 'data')
    model_path = save_warm_model(channel_model, tmp_path)
    out, record = evaluate('all', '--conditions')
    assert list(record['conditions']) == [
        'night', 'fog', 'rain', 'dust', 'motion_blur', 'low_light_noise', 'jpeg',
    ]  # fmt: skip
    assert [entry['severity'] for entry in record['conditions']['fog']] == [1, 2, 3]
    assert record['miou']['void_ignored'] == 100.0, 'the images as they are'
    assert record['conditions']['jpeg'][0]['class_iou']['blue'] > 80
    assert record['conditions']['dust'][2]['miou'] < 60, 'everything is brown'
    assert 'mean IoU by severity' in out
    rows, columns = 4, 22
    picture = cv2.imread(str(tmp_path / 'all' / 'conditions.png'))
    assert picture.shape[0] > rows * 50 and picture.shape[1] > columns * 50
    assert (tmp_path / 'all' / 'confusion_warmth.png').is_file()

    _, again = evaluate('again', '--conditions', 'fog,night')
    assert again['conditions']['fog'] == record['conditions']['fog']
    assert list(again['conditions']) == ['fog', 'night']
    _, other = evaluate('by', '--conditions', 'night', '--by', 'warmth')
    assert set(other['conditions']['night'][0]['class_iou']) == {'cold', 'warm'}
    assert 'conditions' not in evaluate('none')[1]


def test_a_condition_that_is_none_is_refused(cli: Run, tmp_path: Path) -> None:
    ended = cli('evaluate', '--data', make_data(tmp_path / 'data'), '--conditions', 'snow')
    assert ended.code == 2
    assert 'expected names of night, fog, rain, dust' in ended.err
