"""The verb segment: files, summary, and inputs and folders that are not as they should be."""

from pathlib import Path

import cv2
from espnet_ros.sources.street import StreetSource
import numpy as np
import pytest

from .conftest import files_in, read_json, read_mask, stripe_labels, stripes


@pytest.fixture
def segment(cli, channel_model_path: Path, tmp_path: Path):
    """Return what runs the verb with the channel model into a folder of its own."""

    def run(source: object, *more: object):
        return cli(
            'segment', source, '--model', channel_model_path, '--output', tmp_path / 'out', *more
        )

    return run


def test_folder_gives_a_mask_and_an_overlay_of_every_image(
    segment, photos: Path, tmp_path: Path
) -> None:
    ended = segment(photos)
    assert ended.code == 0, ended.err
    out = tmp_path / 'out'
    assert files_in(out) == {
        'a_mask.png',
        'a_overlay.png',
        'b_mask.png',
        'b_overlay.png',
        'results.jsonl',
        'summary.json',
    }
    assert np.array_equal(read_mask(out / 'a_mask.png'), stripe_labels())
    assert cv2.imread(str(out / 'a_overlay.png')).shape == (16, 32, 3)
    assert 'blue' in ended.out
    assert 'red' in ended.out
    assert 'green' not in ended.out
    assert '2 frames' in ended.out
    assert files_in(photos) == {'a.png', 'b.png'}


def test_overlay_has_the_colours_of_the_classes_at_the_opacity(
    segment, photos: Path, tmp_path: Path, channel_model
) -> None:
    assert segment(photos / 'a.png', '--alpha', '1').code == 0
    overlay_bgr = cv2.imread(str(tmp_path / 'out' / 'a_overlay.png'))
    palette_rgb = channel_model.info.label_set.palette_rgb()
    assert np.array_equal(overlay_bgr[:, :, ::-1], palette_rgb[stripe_labels()])


def test_summary_tells_shares_sizes_model_and_runtime(
    segment, photos: Path, tmp_path: Path
) -> None:
    assert segment(photos, '--threads', '1').code == 0
    summary = read_json(tmp_path / 'out' / 'summary.json')
    assert [(c['name'], c['share']) for c in summary['classes']] == [
        ('blue', 0.5),
        ('green', 0.0),
        ('red', 0.5),
    ]
    assert [image['name'] for image in summary['images']] == ['a', 'b']
    first = summary['images'][0]
    assert first['size'] == first['mask_size'] == [16, 32]
    assert first['mask'] == 'a_mask.png'
    assert first['shares'] == {'blue': 0.5, 'red': 0.5}
    assert summary['model']['name'] == 'channels'
    assert summary['runtime']['precision'] in ('fp32', 'bf16', 'fp16')
    assert summary['protocol']['network_size'] == [16, 32]
    assert summary['complete'] is True
    assert summary['frames'] == 2
    assert summary['frames_per_s'] > 0


def test_masks_keep_the_size_of_their_image(segment, tmp_path: Path) -> None:
    folder = tmp_path / 'sizes'
    folder.mkdir()
    for height, width in ((1, 2), (33, 47), (200, 100)):
        cv2.imwrite(str(folder / f'{height}.png'), stripes(height, width))
    assert segment(folder).code == 0
    assert read_mask(tmp_path / 'out' / '1_mask.png').shape == (1, 2)
    assert read_mask(tmp_path / 'out' / '33_mask.png').shape == (33, 47)
    assert read_mask(tmp_path / 'out' / '200_mask.png').shape == (200, 100)


def test_the_network_sees_the_input_size_that_was_asked_for(
    segment, photos: Path, tmp_path: Path
) -> None:
    assert segment(photos, '--input-size', '24,48').code == 0
    summary = read_json(tmp_path / 'out' / 'summary.json')
    assert summary['protocol']['network_size'] == [24, 48]
    assert summary['images'][0]['mask_size'] == [16, 32]


def test_an_input_size_that_the_network_cannot_take_is_one_line(segment, photos: Path) -> None:
    ended = segment(photos, '--input-size', '20,48')
    assert ended.code == 2
    assert 'input_size: expected [height, width] in multiples of 8 for channels' in ended.err
    assert ended.err.count('\n') == 1


def test_mask_options_reach_the_masks(segment, photos: Path, tmp_path: Path) -> None:
    source = photos / 'a.png'
    assert segment(source, '--roi', '0,0,16,8', '--unlabelled-id', '200').code == 0
    mask = read_mask(tmp_path / 'out' / 'a_mask.png')
    assert (mask[:8, :16] == 0).all()
    assert (mask[8:] == 200).all()
    summary = read_json(tmp_path / 'out' / 'summary.json')
    assert summary['classes'][-1] == {
        'id': 200,
        'name': 'unlabelled',
        'color_rgb': [0, 0, 0],
        'share': 0.75,
    }
    assert segment(source, '--mask-size', '4,8').code == 0
    assert read_mask(tmp_path / 'out' / 'a_mask.png').shape == (4, 8)
    assert cv2.imread(str(tmp_path / 'out' / 'a_overlay.png')).shape == (16, 32, 3)
    assert segment(source, '--groups', 'warm=red; cold=blue,green').code == 0
    assert read_mask(tmp_path / 'out' / 'a_mask.png')[0, [0, -1]].tolist() == [1, 0]
    assert segment(source, '--confidence-threshold', '1').code == 0
    assert (read_mask(tmp_path / 'out' / 'a_mask.png') == 255).all()


def test_only_what_is_wanted_is_written(segment, photos: Path, tmp_path: Path) -> None:
    assert segment(photos / 'a.png', '--no-overlay', '--no-masks', '--confidence').code == 0
    assert files_in(tmp_path / 'out') == {'a_confidence.png', 'results.jsonl', 'summary.json'}
    assert (read_mask(tmp_path / 'out' / 'a_confidence.png') > 200).all()


def test_legend_is_drawn(segment, tmp_path: Path) -> None:
    source = tmp_path / 'large.png'
    cv2.imwrite(str(source), stripes(300, 400))
    assert segment(source).code == 0
    plain = cv2.imread(str(tmp_path / 'out' / 'large_overlay.png'))
    assert segment(source, '--legend').code == 0
    assert (cv2.imread(str(tmp_path / 'out' / 'large_overlay.png')) != plain).any()


def test_exact_is_stated_and_in_fp32(segment, photos: Path, tmp_path: Path) -> None:
    assert segment(photos, '--exact').code == 0
    summary = read_json(tmp_path / 'out' / 'summary.json')
    assert 'float32' in summary['protocol']['preprocessing']
    assert summary['runtime']['precision'] == 'fp32'
    assert np.array_equal(read_mask(tmp_path / 'out' / 'a_mask.png'), stripe_labels())


def test_video_gives_an_overlay_video_of_its_length_and_rate(
    segment, clip: Path, tmp_path: Path
) -> None:
    ended = segment(clip)
    assert ended.code == 0, ended.err
    assert files_in(tmp_path / 'out') == {'clip_overlay.mp4', 'results.jsonl', 'summary.json'}
    video = cv2.VideoCapture(str(tmp_path / 'out' / 'clip_overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    assert len(read_json(tmp_path / 'out' / 'summary.json')['images']) == 8


def test_masks_of_a_video_are_numbered_by_frame(segment, clip: Path, tmp_path: Path) -> None:
    assert segment(clip, '--masks', '--limit', '2', '--no-overlay').code == 0
    assert files_in(tmp_path / 'out') == {
        'clip_frames/000000_mask.png',
        'clip_frames/000001_mask.png',
        'results.jsonl',
        'summary.json',
    }
    mask = read_mask(tmp_path / 'out' / 'clip_frames' / '000001_mask.png')
    assert (mask == stripe_labels(32, 64)).mean() > 0.9


def test_bag_gives_masks_called_after_their_stamps_a_video_and_a_summary(
    cli, tmp_path: Path
) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import write_bag

    street = StreetSource(size=(360, 480))
    frames = [street.frame(index) for index in range(3)]
    bag = write_bag(
        tmp_path / 'drive',
        {
            '/front/image_raw': [_bgr8(f.image_bgr) for f in frames],
            '/rear/image_raw': [_bgr8(f.image_bgr) for f in frames[:1]],
        },
    )
    out = tmp_path / 'out'
    command = ('segment', f'{bag}:/front/image_raw', '--model', 'espnet_p2_q8_camvid_street')
    ended = cli(*command, '--output', out)
    assert ended.code == 0, ended.err
    stem = 'drive_front_image_raw'
    masks = [
        f'{stem}_frames/1700000000.{n}_mask.png' for n in ('000000000', '050000000', '100000000')
    ]
    assert files_in(out) == {f'{stem}_overlay.mp4', 'results.jsonl', 'summary.json', *masks}
    for frame, mask in zip(frames, masks, strict=True):
        assert (read_mask(out / mask) == frame.labels).mean() > 0.9
    video = cv2.VideoCapture(str(out / f'{stem}_overlay.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(20)
    summary = read_json(out / 'summary.json')
    assert [image['stamp_ns'] for image in summary['images']] == [
        1_700_000_000_000_000_000 + n * 50_000_000 for n in range(3)
    ]
    assert {image['frame_id'] for image in summary['images']} == {'front'}

    ended = cli(*command, '--output', bag)
    assert ended.code == 2
    assert 'inputs lie in this folder' in ended.err


@pytest.mark.parametrize(('options', 'value'), [(('--image-bit-depth', '12'), 200), ((), 12)])
def test_a_bags_deep_images_have_the_bit_depth_that_is_given(
    segment, tmp_path: Path, options: tuple[str, ...], value: int
) -> None:
    pytest.importorskip('rosbags', reason="no rosbags: pip install '.[bag]'")
    from bags import write_bag

    pixels = np.full((16, 32), 200 << 4, '<u2')
    fields = {'encoding': 'mono16', 'height': 16, 'width': 32, 'is_bigendian': 0, 'step': 64}
    message = 'Image', fields | {'data': pixels.view(np.uint8).ravel()}
    bag = write_bag(tmp_path / 'drive', {'/image_raw': [message]})
    ended = segment(bag, *options, '--alpha', '0')
    assert ended.code == 0, ended.err
    overlay = cv2.VideoCapture(str(tmp_path / 'out' / 'drive_overlay.mp4')).read()[1]
    assert np.abs(overlay.astype(int) - value).max() <= 4


def test_a_bit_depth_that_no_image_has_is_refused(segment, tmp_path: Path) -> None:
    ended = segment(tmp_path, '--image-bit-depth', '17')
    assert ended.code == 2
    assert 'expected 8 to 16, found 17' in ended.err


def _bgr8(image_bgr: np.ndarray) -> tuple[str, dict]:
    height, width, _ = image_bgr.shape
    return 'Image', {
        'encoding': 'bgr8',
        'height': height,
        'width': width,
        'is_bigendian': 0,
        'step': 3 * width,
        'data': image_bgr.ravel(),
    }


def test_broken_images_are_listed_and_good_ones_finished(
    segment, photos: Path, tmp_path: Path
) -> None:
    (photos / 'broken.png').write_bytes(b'no image')
    (photos / 'cut.png').write_bytes((photos / 'a.png').read_bytes()[:40])
    ended = segment(photos)
    assert ended.code == 1
    assert files_in(tmp_path / 'out') >= {'a_mask.png', 'b_mask.png'}
    assert 'broken.png' in ended.err
    assert 'cut.png' in ended.err
    assert ended.err.splitlines()[-1].startswith('espnet-ros: 2 of 4 images')
    summary = read_json(tmp_path / 'out' / 'summary.json')
    assert [entry['name'] for entry in summary['broken']] == ['broken', 'cut']
    assert summary['complete'] is False


def test_images_that_show_nothing_are_counted_and_told(
    segment, photos: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(photos / 'covered.png'), np.full((16, 32, 3), 9, np.uint8))
    ended = segment(photos)
    assert ended.code == 0
    assert '1 of 3 frames show nothing' in ended.err
    assert read_json(tmp_path / 'out' / 'summary.json')['frames_that_show_nothing'] == 1
    (photos / 'covered.png').unlink()
    ended = segment(photos, '--overwrite')
    assert 'show nothing' not in ended.err


def test_image_that_the_region_misses_is_broken_and_others_are_finished(
    segment, photos: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(photos / 'small.png'), stripes(4, 4))
    ended = segment(photos, '--roi', '8,8,4,4')
    assert ended.code == 1
    assert 'small' in ended.err
    assert (tmp_path / 'out' / 'b_mask.png').exists()


def test_images_of_one_stem_both_keep_their_results(segment, photos: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(photos / 'a.bmp'), np.full((8, 8, 3), (0, 250, 0), np.uint8))
    assert segment(photos).code == 0
    masks = [f for f in files_in(tmp_path / 'out') if f.endswith('_mask.png')]
    assert len(masks) == 3
    values = {tuple(np.unique(read_mask(tmp_path / 'out' / mask))) for mask in masks}
    assert values == {(0, 2), (1,)}


@pytest.mark.parametrize('name', ['.', 'a.png'])
def test_results_never_go_among_the_inputs(
    cli, channel_model_path: Path, photos: Path, name: str
) -> None:
    ended = cli('segment', photos / name, '--model', channel_model_path, '--output', photos)
    assert ended.code == 2
    assert 'inputs lie in this folder' in ended.err
    assert files_in(photos) == {'a.png', 'b.png'}


def test_output_that_is_a_file_is_an_error(cli, photos: Path, channel_model_path: Path) -> None:
    taken = photos.parent / 'taken'
    taken.write_text('mine')
    ended = cli('segment', photos, '--model', channel_model_path, '--output', taken)
    assert ended.code == 1
    assert 'cannot write into this folder' in ended.err
    assert taken.read_text() == 'mine'


def test_video_that_breaks_off_keeps_what_was_segmented(
    segment, clip: Path, tmp_path: Path
) -> None:
    cut = tmp_path / 'cut.avi'
    writer = cv2.VideoWriter(str(cut), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 32))
    for _ in range(40):
        writer.write(stripes(32, 64))
    writer.release()
    data = cut.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    ended = segment(cut)
    assert ended.code == 1
    assert 'kept in' in ended.err
    summary = read_json(tmp_path / 'out' / 'summary.json')
    video = cv2.VideoCapture(str(tmp_path / 'out' / 'cut_overlay.mp4'))
    assert 0 < summary['frames'] < 40
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == summary['frames']


def test_pages_behind_the_first_are_told(segment, photos: Path) -> None:
    cv2.imwritemulti(str(photos / 'c.tiff'), [stripes(), stripes()])
    ended = segment(photos)
    assert ended.code == 0
    assert 'c.tiff: 2 pages, of which the first is read' in ended.err


def test_model_that_is_none_is_one_clear_error(cli, photos: Path, tmp_path: Path) -> None:
    not_a_model = tmp_path / 'model.onnx'
    not_a_model.write_bytes(b'nothing')
    for model, told in ((not_a_model, 'not a valid ONNX file'), ('nobody', "no model 'nobody'")):
        ended = cli('segment', photos, '--model', model, '--output', tmp_path / 'out')
        assert ended.code == 1
        assert told in ended.err
        assert len(ended.err.splitlines()) == 1


def test_groups_of_unknown_classes_are_wrong_usage(segment, photos: Path) -> None:
    ended = segment(photos, '--groups', 'a=yellow')
    assert ended.code == 2
    assert 'yellow' in ended.err


def test_runtime_that_is_missing_is_never_replaced(segment, photos: Path) -> None:
    ended = segment(photos, '--runtime', 'tensorrt')
    assert ended.code == 1
    assert 'tensorrt' in ended.err


@pytest.mark.parametrize(
    ('pre_processing', 'least'), [(['--exact'], 0.999), (['--precision', 'fp32'], 0.995)]
)
def test_masks_are_those_of_the_authors_code(
    segment, published_model, shared_data: Path, pre_processing: list[str], least: float
) -> None:
    model = published_model('espnet_p2_q8_cityscapes').path
    (frame,) = (shared_data / 'frames').glob('*.png')
    ended = segment(frame, '--model', model, '--mask-size', 'network', *pre_processing)
    assert ended.code == 0, ended.err
    (mask_path,) = Path(ended.out.split('results in ')[1].strip()).glob('*_mask.png')
    golden = read_mask(shared_data / 'golden' / f'{frame.stem}__decoder_espnet_p_2_q_8.png')
    assert (read_mask(mask_path) == golden).mean() >= least
