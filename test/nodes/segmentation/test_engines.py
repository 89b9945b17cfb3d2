"""The node and its engine: built, prepared, swapped, and a GPU that is lost."""

from __future__ import annotations

from functools import partial
import threading

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')
pytest.importorskip('onnxruntime', reason='the stand-in for TensorRT computes with it')

from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.nodes.segmentation.device_recovery import MOST_TRIES
from espnet_ros.nodes.segmentation.node import SegmentationNode
from fake_tensorrt.board import Board, install_board, make_model, SIZE
from fake_tensorrt.device import ILLEGAL_ADDRESS
from lifecycle_msgs.srv import GetState
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from time_limits import message_limit_s

NODE = 'segmentation'


@pytest.fixture
def board(monkeypatch, tmp_path) -> Board:
    yield from install_board(monkeypatch, tmp_path, '10.3.0')


@pytest.fixture
def start(ros, board, tmp_path):
    """Return what starts a node with TensorRT."""
    path = tmp_path / 'brightest.onnx'
    path.write_bytes(make_model().data)

    def run(end=lambda _: None, **parameters):
        values = {'model': str(path), 'runtime': 'tensorrt', 'engine_cache_dir': str(board.cache)}
        values['min_contrast'] = 0
        return ros.start(partial(SegmentationNode, end), values | parameters)

    return run


def wait_for_state(ros, wanted: str) -> None:
    def now() -> str:
        request = GetState.Request()
        return ros.call(GetState, f'{NODE}/get_state', request).current_state.label

    ros.wait_until(lambda: now() == wanted, f'state {wanted}')


def send(images, seconds: int) -> None:
    header = Header(frame_id='camera')
    header.stamp.sec = seconds
    image = np.full((*SIZE, 3), (0, 200, 0), np.uint8)
    images.publish(array_to_image(image, 'bgr8', header))


def test_the_node_builds_its_engine_and_segments(ros, start, board):
    start()
    masks = ros.listen(Image, f'{NODE}/mask')
    wait_for_state(ros, 'active')
    send(ros.publisher(Image, 'image_raw', 1), 7)
    mask = masks.wait_for(lambda m: m.header.stamp.sec == 7)
    assert set(mask.data) == {1}
    assert len(board.engines()) == 1


def test_cameras_of_several_sizes_share_an_engine_that_resizes(ros, start, board):
    node = start(cameras=['front', 'left'])
    sizes = {'front': (48, 64), 'left': (32, 96)}
    masks = {name: ros.listen(Image, f'{NODE}/{name}/mask') for name in sizes}
    wait_for_state(ros, 'active')
    assert node._model['resize'] == 'device'
    engines = board.engines()
    header = Header(frame_id='camera')
    header.stamp.sec = 3
    for name, size in sizes.items():
        image = np.full((*size, 3), (0, 0, 200), np.uint8)
        ros.publisher(Image, f'{name}/image_raw', 1).publish(array_to_image(image, 'bgr8', header))
    for name, size in sizes.items():
        mask = masks[name].wait_for(lambda m: m.header.stamp.sec == 3)
        assert (mask.height, mask.width, set(mask.data)) == (*size, {2})
    assert board.engines() == engines
    assert len(engines) == 1


def test_images_of_the_cameras_size_go_to_an_engine_that_resizes(ros, start, board):
    node = start(resize='device')
    masks = ros.listen(Image, f'{NODE}/mask')
    wait_for_state(ros, 'active')
    header = Header(frame_id='camera')
    header.stamp.sec = 3
    image = np.full((48, 64, 3), (0, 0, 200), np.uint8)
    ros.publisher(Image, 'image_raw', 1).publish(array_to_image(image, 'bgr8', header))
    mask = masks.wait_for(lambda m: m.header.stamp.sec == 3)
    assert (mask.height, mask.width, set(mask.data)) == (48, 64, {2})
    assert len(board.engines()) == 1
    assert node._engine.facts == {}


def test_an_engine_without_confidence_offers_none(ros, start, board):
    node = start(engine_confidence=False)
    masks = ros.listen(Image, f'{NODE}/mask')
    wait_for_state(ros, 'active')
    topics = {name for name, _ in node.get_topic_names_and_types()}
    assert f'/{NODE}/mask' in topics
    assert f'/{NODE}/confidence' not in topics
    (result,) = node.set_parameters([Parameter('confidence_threshold', value=0.5)])
    assert not result.successful
    assert 'set engine_confidence to true' in result.reason
    send(ros.publisher(Image, 'image_raw', 1), 4)
    masks.wait_for(lambda m: m.header.stamp.sec == 4)


def test_diagnostics_tell_of_the_build(ros, start, board, tmp_path):
    board.use_process()
    board.monkeypatch.setenv('FAKE_TENSORRT_HOLD', str(tmp_path / 'hold'))
    messages = ros.listen(DiagnosticArray, '/diagnostics')
    node = start()

    def is_told(message) -> bool:
        words = next((s.message for s in message.status if s.name.endswith('model')), '')
        return words.startswith('building the engine: ') and '%' in words

    messages.wait_for(is_told)
    node.interrupt()
    ros.wait_until(lambda: 'was cancelled' in node.failure, 'the end of the build')


def test_build_only_builds_and_ends(ros, start, board):
    codes: list[int] = []
    ended = threading.Event()

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    start(build_only=True, end=end)
    assert ended.wait(message_limit_s())
    assert codes == [0]
    assert len(board.engines()) == 1


def test_build_only_that_fails_says_so(ros, start, board):
    codes: list[int] = []
    ended = threading.Event()
    start(build_only=True, resize='device', end=lambda code: (codes.append(code), ended.set()))
    assert ended.wait(message_limit_s())
    assert codes == [1]


def test_an_engine_is_rebuilt_while_the_node_runs(ros, start, board):
    node = start()
    wait_for_state(ros, 'active')
    old = node._session.segmenter.runtime
    before = board.engines()[0].stat().st_mtime_ns
    answer = ros.call(Trigger, f'{NODE}/rebuild_engine', Trigger.Request())
    assert answer.success, answer.message
    assert 'the new engine runs: fp16' in answer.message
    assert node._session.segmenter.runtime is not old
    assert board.engines()[0].stat().st_mtime_ns > before
    masks = ros.listen(Image, f'{NODE}/mask')
    send(ros.publisher(Image, 'image_raw', 1), 9)
    masks.wait_for(lambda m: m.header.stamp.sec == 9)


def test_a_rebuild_that_fails_leaves_the_old_engine(ros, start, board):
    node = start()
    wait_for_state(ros, 'active')
    old = node._session.segmenter.runtime
    board.gpu.damaged_share = 0.5
    answer = ros.call(Trigger, f'{NODE}/rebuild_engine', Trigger.Request())
    assert not answer.success
    assert 'refused by its self-check' in answer.message
    assert node._session.segmenter.runtime is old


def test_another_runtime_has_no_engine_to_rebuild(ros, segmentation):
    segmentation()
    wait_for_state(ros, 'active')
    answer = ros.call(Trigger, f'{NODE}/rebuild_engine', Trigger.Request())
    assert not answer.success
    assert 'the runtime is onnxruntime, which has no engine' in answer.message


def test_a_lost_gpu_takes_the_node_down_and_up_again(ros, start, board):
    node = start()
    wait_for_state(ros, 'active')
    session = node._session
    images = ros.publisher(Image, 'image_raw', 1)
    board.gpu.fail_next['cudaStreamSynchronize'] = ILLEGAL_ADDRESS
    send(images, 1)
    ros.wait_until(
        lambda: node.state == 'active' and node._session is not session, 'the second session'
    )
    masks = ros.listen(Image, f'{NODE}/mask')
    images = ros.publisher(Image, 'image_raw', 1)
    send(images, 2)
    masks.wait_for(lambda m: m.header.stamp.sec == 2)


def lose_the_gpu(ros, node, board, images) -> None:
    """Lose it once, under images, and wait until the node is active with it again."""
    session = node._session
    board.gpu.fail_next['cudaStreamSynchronize'] = ILLEGAL_ADDRESS

    def is_over() -> bool:
        send(images, 1)
        return node._session not in (None, session) and node.state == 'active'

    ros.wait_until(is_over, 'recovery')


def test_tries_count_anew_after_a_healthy_time(ros, start, board, monkeypatch):
    monkeypatch.setattr('espnet_ros.nodes.segmentation.device_recovery.HEALTHY_S', 0.0)
    node = start()
    node._recovery._timer.timer_period_ns = 1_000_000
    masks = ros.listen(Image, f'{NODE}/mask')
    wait_for_state(ros, 'active')
    images = ros.publisher(Image, 'image_raw', 1)
    for _ in range(MOST_TRIES + 1):
        lose_the_gpu(ros, node, board, images)
        masks.clear()
        ros.wait_until(lambda: send(images, 2) or masks.messages, 'masks')


def test_losses_without_a_healthy_time_between_them_add_up(ros, start, board):
    ended = threading.Event()
    node = start(end=lambda _: ended.set())
    node._recovery._timer.timer_period_ns = 1_000_000
    wait_for_state(ros, 'active')
    images = ros.publisher(Image, 'image_raw', 1)
    for _ in range(MOST_TRIES):
        lose_the_gpu(ros, node, board, images)
        assert not ended.is_set()
    board.gpu.fail_next['cudaStreamSynchronize'] = ILLEGAL_ADDRESS
    ros.wait_until(lambda: send(images, 1) or ended.is_set(), 'giving up')
    assert 'gave up' in node.failure


def test_a_gpu_that_stays_lost_is_given_up_and_ends_the_process(ros, start, board):
    codes: list[int] = []
    node = start(end=codes.append)
    node._recovery._timer.timer_period_ns = 1_000_000
    wait_for_state(ros, 'active')
    board.gpu.poison = ILLEGAL_ADDRESS
    send(ros.publisher(Image, 'image_raw', 1), 1)
    ros.wait_until(lambda: f'gave up after {MOST_TRIES} tries' in node.failure, 'giving up')
    assert node.state == 'unconfigured'
    ros.wait_until(lambda: codes == [1], 'the end of the process')
