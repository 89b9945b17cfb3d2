"""Pictures too large for memory: tiles that leave no seam, and files that are read by parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
import json
from pathlib import Path
import subprocess
import sys

from espnet_ros.cli.main import main
from espnet_ros.fleet.engine import attempt, WorkerFactory
from espnet_ros.fleet.settings import FleetSettings
from espnet_ros.fleet.unit import Finished, Task
from espnet_ros.labels import load_label_set
from espnet_ros.slides.tiling import blended_bands, Tiling
import numpy as np
import pytest

tifffile = pytest.importorskip('tifffile', reason='reads slides')

ROOT = Path(__file__).resolve().parents[2]
SIZE = (450, 611)
NAMES = ('blue', 'green', 'red')
TILED = ('--tile', 128, '--overlap', 32)


@pytest.fixture(scope='module')
def picture() -> np.ndarray:
    """Return a picture of coloured blocks, RGB, in which one channel is the brightest."""
    random = np.random.default_rng(1)
    small = random.integers(0, 3, (46, 62))
    classes = np.kron(small, np.ones((10, 10), int))[: SIZE[0], : SIZE[1]]
    picture = random.integers(0, 90, (*SIZE, 3)).astype(np.uint8)
    np.put_along_axis(picture, classes[..., None], 220, axis=2)
    return picture


def truth(picture_rgb: np.ndarray) -> np.ndarray:
    """Return the classes of a picture: 0 blue, 1 green, 2 red."""
    return 2 - picture_rgb.argmax(axis=2)


def slide(path: Path, picture: np.ndarray, **how: object) -> Path:
    tifffile.imwrite(path, picture, photometric='rgb', metadata=None, **how)
    return path


def run(model: Path, out: Path, *words: object) -> int:
    """Segment slides by small tiles."""
    arguments = ('segment', *TILED, *words, '--model', model)
    return main([*map(str, arguments), '--output', str(out)])


@pytest.mark.parametrize(
    'how',
    [
        {'tile': (64, 64), 'compression': 'zlib'},
        {'tile': (64, 96), 'bigtiff': True, 'byteorder': '>'},
        {'rowsperstrip': 7},
    ],
    ids=['tiles', 'bigtiff', 'strips'],
)
def test_a_mask_by_tiles_is_that_of_the_picture_as_a_whole(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, how: dict[str, object]
) -> None:
    source = slide(tmp_path / 'tissue.tif', picture, **how)
    assert run(channel_model_path, tmp_path / 'out', source) == 0
    folder = tmp_path / 'out' / 'tissue'
    with tifffile.TiffFile(folder / 'tissue_mask.tif') as file:
        page = file.pages[0]
        assert page.is_tiled and page.photometric.name == 'PALETTE'
        assert np.array_equal(page.asarray(), truth(picture))
    with tifffile.TiffFile(folder / 'tissue_overlay.tif') as file:
        assert file.pages[0].shape == (*SIZE, 3)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        'tissue_mask.tif', 'tissue_overlay.tif', 'tissue_thumbnail.png', 'summary.json',
    }  # fmt: skip
    summary = json.loads((folder / 'summary.json').read_text())
    assert (summary['size'], summary['tiles']) == (list(SIZE), 5 * 7)


def test_a_palette_and_gray_are_seen_as_colours(channel_model_path: Path, tmp_path: Path) -> None:
    colors = np.array([[250, 9, 9], [9, 9, 250], [9, 250, 9]], np.uint8)
    index = np.kron(np.arange(6).reshape(2, 3) % 3, np.ones((80, 90), int)).astype(np.uint8)
    palette = np.zeros((3, 256), np.uint16)
    palette[:, :3] = colors.T.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / 'a.tif', index, photometric='palette', colormap=palette)
    tifffile.imwrite(tmp_path / 'b.tif', index * 90)
    assert run(channel_model_path, tmp_path / 'out', tmp_path / 'a.tif', tmp_path / 'b.tif') == 0
    mask = tifffile.imread(tmp_path / 'out' / 'a' / 'a_mask.tif')
    assert np.array_equal(mask, truth(colors[index]))
    with tifffile.TiffFile(tmp_path / 'out' / 'b' / 'b_overlay.tif') as file:
        assert file.pages[0].shape == (*index.shape, 3)


def test_a_larger_picture_behind_a_small_one_is_told(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, capsys
) -> None:
    with tifffile.TiffWriter(tmp_path / 'pages.tif') as file:
        file.write(picture[:64, :64], photometric='rgb', metadata=None)
        file.write(picture, photometric='rgb', metadata=None)
    assert run(channel_model_path, tmp_path / 'out', tmp_path / 'pages.tif') == 0
    assert '2 pages, of which the first is read' in ' '.join(capsys.readouterr().err.split())


def test_masks_have_a_pyramid_of_their_ids(channel_model_path: Path, tmp_path: Path) -> None:
    picture = np.zeros((1100, 2300, 3), np.uint8)
    picture[..., 2] = 200
    picture[:, 1000:, 0] = 250
    source = slide(tmp_path / 'wide.tif', picture, tile=(256, 256), compression='zlib')
    assert run(channel_model_path, tmp_path / 'out', source, '--no-overlay') == 0
    with tifffile.TiffFile(tmp_path / 'out' / 'wide' / 'wide_mask.tif') as file:
        levels = file.series[0].levels
        assert [level.shape for level in levels] == [(1100, 2300), (550, 1150), (275, 575)]
        assert np.array_equal(levels[2].asarray(), truth(picture)[::4, ::4])


def test_scores_are_blended_so_that_no_tile_decides_at_its_border() -> None:
    size, tile, overlap = (300, 520), 128, 64
    tiling = Tiling(size, tile, overlap)
    seen = iter(range(100))

    def score(tile_bgr: np.ndarray) -> np.ndarray:
        """Tiles contradict each other, each with one class alone."""
        found = np.zeros((2, tile, tile), np.float32)
        found[next(seen) % tiling.counts[1] % 2] = 1
        return found

    sums = []
    bands = blended_bands(
        tiling,
        lambda top, left, height, width: np.zeros((height, width, 3), np.uint8),
        score,
        lambda scores: sums.append(scores.copy()) or (scores[1] * 255).astype(np.uint8),
    )
    blended = np.concatenate(list(bands)).astype(int)
    assert blended.shape == size
    assert all(np.allclose(each.sum(axis=0), 1, atol=1e-5) for each in sums)
    steps = np.abs(np.diff(blended, axis=1))
    assert steps.max() <= 255 / overlap + 1, 'from tile to tile it goes by small steps'
    assert np.abs(np.diff(blended, axis=0)).max() <= 1


def test_what_cannot_be_read_by_tiles_is_one_line(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, capsys
) -> None:
    cut = slide(tmp_path / 'cut.tif', picture, tile=(64, 64))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    deep = tmp_path / 'deep.tif'
    tifffile.imwrite(deep, picture.astype(np.uint16), photometric='rgb')
    text = tmp_path / 'text.tif'
    text.write_text('none')
    assert run(channel_model_path, tmp_path / 'out', cut, deep, text) == 1
    lines = (tmp_path / 'out' / 'failures.jsonl').read_text().splitlines()
    assert len(lines) == 3 and not list((tmp_path / 'out').glob('.*'))
    assert run(channel_model_path, tmp_path / 'out', deep, '--overlap', '90') == 2
    assert '--overlap: expected 0 to half' in capsys.readouterr().err


def in_turn(
    factory: WorkerFactory,
    tasks: Sequence[Task],
    settings: FleetSettings,
    follow: Callable[[Finished], Sequence[Task]],
) -> Iterator[Finished]:
    """Do what Ray would do, in this process, the last first."""
    left = deque(tasks)
    worker = factory(1)
    while left:
        end = attempt(worker, left.pop(), lambda: None)
        left.extend(follow(end))
        yield end
    worker.close()


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the pictures below a folder."""
    names = ('*.tif', '*.png')
    return {path.name: path.read_bytes() for name in names for path in folder.rglob(name)}


def test_strips_of_several_jobs_make_the_mask_of_one(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr('espnet_ros.fleet.ray_engine.run_on_ray', in_turn)
    source = slide(tmp_path / 'tissue.tif', picture, tile=(64, 64))
    assert run(channel_model_path, tmp_path / 'one', source) == 0
    words = (source, '--engine', 'ray', '--jobs', 3)
    assert run(channel_model_path, tmp_path / 'three', *words) == 0
    found = files_of(tmp_path / 'three')
    assert len(found) == 3 and found == files_of(tmp_path / 'one')
    one, three = (
        json.loads((tmp_path / name / 'tissue' / 'summary.json').read_text())
        for name in ('one', 'three')
    )
    assert three['report']['counts'] == one['report']['counts']
    assert three['key'] == one['key'] and three['tiles'] == one['tiles']
    assert not list((tmp_path / 'three').glob('.*'))


def test_a_damaged_picture_fails_once_however_many_strips_it_has(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr('espnet_ros.fleet.ray_engine.run_on_ray', in_turn)
    cut = slide(tmp_path / 'cut.tif', picture, tile=(64, 64))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    whole = slide(tmp_path / 'whole.tif', picture, tile=(64, 64))
    words = (cut, whole, '--engine', 'ray', '--jobs', 5)
    assert run(channel_model_path, tmp_path / 'out', *words) == 1
    lines = (tmp_path / 'out' / 'failures.jsonl').read_text().splitlines()
    assert [json.loads(line)['unit'] for line in lines] == ['cut']
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert (summary['done'], summary['failed']) == (1, 1)
    assert not list((tmp_path / 'out').glob('.*')), 'no strip is left'


@pytest.mark.long
@pytest.mark.timeout(200)
def test_jobs_of_ray_share_a_picture(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path
) -> None:
    pytest.importorskip('ray', reason='shares tiles out')
    source = slide(tmp_path / 'tissue.tif', picture, tile=(64, 64))
    assert run(channel_model_path, tmp_path / 'one', source) == 0
    # Ray is set up by variables before it is imported, and leaves processes that Python misses.
    words = ('segment', source, *TILED, '--engine', 'ray', '--jobs', 2, '--model')
    words += (channel_model_path, '--output', tmp_path / 'two')
    command = [sys.executable, '-m', 'espnet_ros.cli', *map(str, words)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert files_of(tmp_path / 'two') == files_of(tmp_path / 'one')


def labelled(root: Path, picture: np.ndarray) -> Path:
    """Write a data set of one slide; in a block of its truth the classes are exchanged."""
    for folder in ('images', 'labels'):
        (root / folder / 'val').mkdir(parents=True)
    slide(root / 'images' / 'val' / 's.tif', picture, tile=(64, 64))
    labels = truth(picture).astype(np.uint8)
    labels[100:200, 150:400] = (labels[100:200, 150:400] + 1) % 3
    labels[-7:] = 255
    how = {'photometric': 'minisblack', 'metadata': None, 'tile': (64, 64)}
    tifffile.imwrite(root / 'labels' / 'val' / 's.tif', labels, compression='zlib', **how)
    classes = '\n'.join(f'- {{name: {n}, color: [{i}, 0, 9]}}' for i, n in enumerate(NAMES))
    (root / 'labels.yaml').write_text(f'name: channels\nclasses:\n{classes}\n')
    return root


def evaluate(root: Path | str, model: Path, *words: object) -> int:
    """Evaluate a model on a data set."""
    return main([str(w) for w in ('evaluate', '--data', root, '--model', model, *words)])


def test_slides_are_evaluated_by_tiles_against_tiled_truth(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path
) -> None:
    root, report = labelled(tmp_path / 'data', picture), tmp_path / 'report.json'
    words = (*TILED, '--json', report, '--runtime', 'onnxruntime')
    assert evaluate(root, channel_model_path, *words) == 0
    record = json.loads(report.read_text())
    assert record['images'] == 1 and record['runtime']['precision'] == 'fp32'
    labels = tifffile.imread(root / 'labels' / 'val' / 's.tif')
    counted = labels != 255
    found = truth(picture)
    for index, name in enumerate(NAMES):
        ours, theirs = (found == index) & counted, labels == index
        expected = 100 * (ours & theirs).sum() / (ours | theirs).sum()
        assert record['class_iou'][name] == pytest.approx(expected, abs=1e-3)
        assert 0 < expected < 100


def test_slides_and_tiles_go_together_or_it_is_said(
    channel_model_path: Path, picture: np.ndarray, tmp_path: Path, capsys
) -> None:
    root = labelled(tmp_path / 'data', picture)
    assert evaluate(root, channel_model_path) == 2
    assert 'give --tile 1024' in capsys.readouterr().err
    assert evaluate(root, channel_model_path, *TILED, '--conditions') == 2
    assert 'leave it out with --tile' in capsys.readouterr().err
    assert evaluate('synthetic', channel_model_path, *TILED) == 2
    assert '--tile: is for data sets whose labels are TIFF' in capsys.readouterr().err


def test_tissue_classes_ship_as_a_label_set() -> None:
    label_set = load_label_set('breast_biopsy')
    assert len(label_set.names) == 8 and 'desmoplastic stroma' in label_set.names
