"""The node's states, walked from outside as ros2 lifecycle does."""

import gc
import threading

import numpy as np
import onnx
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.exceptions import ModelError
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.segmenter import Segmenter
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from time_limits import message_limit_s

NODE = 'segmentation'
LIMIT_S = 20.0


def go(ros, transition):
    request = ChangeState.Request(transition=Transition(id=transition))
    return ros.call(ChangeState, f'{NODE}/change_state', request).success


def state(ros):
    return ros.call(GetState, f'{NODE}/get_state', GetState.Request()).current_state.label


def wait_for_state(ros, wanted):
    ros.wait_until(lambda: state(ros) == wanted, f'state {wanted}')


def segment_once(ros, masks, images, seconds):
    header = Header(frame_id='camera')
    header.stamp.sec = seconds
    images.publish(array_to_image(np.zeros((16, 32, 3), np.uint8), 'bgr8', header))
    masks.wait_for(lambda m: m.header.stamp.sec == seconds)


def test_it_configures_and_activates_by_itself(ros, segmentation):
    segmentation()
    wait_for_state(ros, 'active')


def test_deactivating_under_a_stream_of_images_ends_nothing(ros, segmentation):
    """Subscriptions went away while the executor waited on them, which ended the process."""
    segmentation(cameras=['a', 'b', 'c'], runtime='fake')
    wait_for_state(ros, 'active')
    image = array_to_image(np.zeros((16, 32, 3), np.uint8), 'bgr8', Header(frame_id='camera'))
    for name in 'abc':
        publisher = ros.probe.create_publisher(Image, f'{name}/image_raw', 1)
        ros.probe.create_timer(1 / 60, lambda p=publisher: p.publish(image))
    masks = ros.listen(Image, f'{NODE}/c/mask')
    for _ in range(60):
        assert go(ros, Transition.TRANSITION_DEACTIVATE)
        assert go(ros, Transition.TRANSITION_ACTIVATE)
    masks.clear()
    masks.wait_for()


def test_the_state_can_be_read_while_a_model_is_opened(ros, segmentation, monkeypatch):
    opening, may_go_on = threading.Event(), threading.Event()

    def open_slowly(*_):
        opening.set()
        may_go_on.wait(LIMIT_S)
        raise ModelError('too slow')

    monkeypatch.setattr('espnet_ros.nodes.segmentation.session.open_model', open_slowly)
    segmentation()
    assert opening.wait(message_limit_s())
    assert state(ros) == 'configuring'
    disable = SetBool.Request(data=False)
    assert ros.call(SetBool, f'{NODE}/enable', disable).message.endswith('is configuring')
    alpha = Parameter('overlay.alpha', value=0.2).to_parameter_msg()
    request = SetParameters.Request(parameters=[alpha])
    assert ros.call(SetParameters, f'{NODE}/set_parameters', request).results[0].successful
    may_go_on.set()
    wait_for_state(ros, 'unconfigured')


def test_it_waits_to_be_told_where_autostart_is_off(ros, segmentation):
    segmentation(autostart=False)
    assert state(ros) == 'unconfigured'


def test_all_states_can_be_walked_twice(ros, segmentation):
    segmentation(autostart=False)
    masks = ros.listen(Image, f'{NODE}/mask')
    for walk in (1, 2):
        assert go(ros, Transition.TRANSITION_CONFIGURE)
        assert state(ros) == 'inactive'
        assert ros.probe.count_subscribers('/image_raw') == 0
        for turn in (1, 2):
            assert go(ros, Transition.TRANSITION_ACTIVATE)
            images = ros.publisher(Image, 'image_raw')
            segment_once(ros, masks, images, 10 * walk + turn)
            assert go(ros, Transition.TRANSITION_DEACTIVATE)
            ros.wait_until(lambda: ros.probe.count_subscribers('/image_raw') == 0, 'silence')
            ros.probe.destroy_publisher(images)
        assert go(ros, Transition.TRANSITION_CLEANUP)
        assert state(ros) == 'unconfigured'
        ros.wait_until(lambda: ros.probe.count_publishers(f'/{NODE}/mask') == 0, 'no topics')


def test_a_transition_that_the_state_has_not_is_refused_and_ends_nothing(ros, segmentation):
    """Humble's rclpy raises it out of the service and out of the trigger."""
    node = segmentation(autostart=False)
    assert not go(ros, Transition.TRANSITION_ACTIVATE)
    assert not go(ros, 123)
    assert node.trigger_activate() == TransitionCallbackReturn.ERROR
    assert state(ros) == 'unconfigured'
    assert go(ros, Transition.TRANSITION_CONFIGURE)
    assert not node.configure_and_activate()
    assert state(ros) == 'inactive'


def test_nothing_of_a_model_is_held_once_it_was_cleaned_up(ros, segmentation):
    def segmenters():
        return sum(isinstance(each, Segmenter) for each in gc.get_objects())

    segmentation(autostart=False)
    gc.collect()  # what the tests before left in cycles
    before = segmenters()
    gc.disable()
    try:
        for transition in (
            Transition.TRANSITION_CONFIGURE,
            Transition.TRANSITION_ACTIVATE,
            Transition.TRANSITION_DEACTIVATE,
        ):
            assert go(ros, transition)
        assert segmenters() == before + 1
        assert go(ros, Transition.TRANSITION_CLEANUP)
        assert segmenters() == before
    finally:
        gc.enable()


@pytest.mark.parametrize('from_state', ['unconfigured', 'inactive', 'active'])
def test_it_can_be_shut_down_from_every_state(ros, segmentation, from_state):
    segmentation(autostart=False)
    if from_state != 'unconfigured':
        go(ros, Transition.TRANSITION_CONFIGURE)
    if from_state == 'active':
        go(ros, Transition.TRANSITION_ACTIVATE)
    shutdown = {
        'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
        'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
        'active': Transition.TRANSITION_ACTIVE_SHUTDOWN,
    }[from_state]
    assert go(ros, shutdown)
    assert state(ros) == 'finalized'


def test_enable_is_there_in_every_state(ros, segmentation):
    segmentation(autostart=False)
    disable = SetBool.Request(data=False)
    assert (
        ros.call(SetBool, f'{NODE}/enable', disable).message
        == 'disabled; the node is unconfigured'
    )
    go(ros, Transition.TRANSITION_CONFIGURE)
    answer = ros.call(SetBool, f'{NODE}/enable', SetBool.Request(data=True))
    assert (answer.success, answer.message) == (True, 'enabled; the node is inactive')


def corrupt(path, good):
    path.write_bytes(good[: len(good) // 2])


def without_outputs(path, good):
    proto = onnx.load_model_from_string(good)
    del proto.graph.output[1]
    path.write_bytes(proto.SerializeToString())


@pytest.fixture(
    params=[
        (lambda path, good: None, 'model.onnx'),
        (corrupt, 'not a valid ONNX file'),
        (without_outputs, 'expected image uint8'),
    ]
)
def bad_model(request, tmp_path, channel_model):
    """Return the path of a bad model file, and words of what is told of it."""
    spoil, words = request.param
    path = tmp_path / 'model.onnx'
    spoil(path, channel_model.data)
    return path, words


def test_a_bad_model_is_one_clear_error_and_can_be_fixed(
    ros, segmentation, bad_model, channel_model, capfd
):
    path, words = bad_model
    segmentation(model=str(path))
    said = []

    def told() -> bool:
        said.append(''.join(capfd.readouterr()))
        return 'cannot configure' in ''.join(said)

    ros.wait_until(told, 'the error')
    (line,) = [line for line in ''.join(said).splitlines() if 'ERROR' in line]
    assert words in line
    assert 'ros2 lifecycle set /segmentation configure' in line
    assert 'Traceback' not in ''.join(said)
    assert state(ros) == 'unconfigured'
    path.write_bytes(channel_model.data)
    assert go(ros, Transition.TRANSITION_CONFIGURE)
    assert go(ros, Transition.TRANSITION_ACTIVATE)
    segment_once(ros, ros.listen(Image, f'{NODE}/mask'), ros.publisher(Image, 'image_raw'), 1)


def test_settings_that_do_not_fit_the_model_can_be_fixed_live(ros, segmentation):
    segmentation(autostart=False, label_groups='warm=purple')
    assert not go(ros, Transition.TRANSITION_CONFIGURE)
    groups = Parameter('label_groups', value='warm=red').to_parameter_msg()
    request = SetParameters.Request(parameters=[groups])
    assert ros.call(SetParameters, f'{NODE}/set_parameters', request).results[0].successful
    assert go(ros, Transition.TRANSITION_CONFIGURE)


def test_a_qos_override_that_is_no_policy_leaves_no_topic_behind(ros, segmentation, capfd):
    name = 'qos_overrides./segmentation/overlay.publisher.reliability'
    segmentation(['-p', f'{name}:=perfect'], autostart=False)
    assert not go(ros, Transition.TRANSITION_CONFIGURE)
    assert 'Unexpected QoS override' in ''.join(capfd.readouterr())
    ros.wait_until(lambda: ros.probe.count_publishers('/segmentation/mask') == 0, 'no topics')


def test_a_camera_that_cannot_be_subscribed_leaves_no_thread_behind(ros, segmentation, capfd):
    name = 'qos_overrides./image_raw.subscription.reliability'
    segmentation(['-p', f'{name}:=perfect'], autostart=False)
    assert go(ros, Transition.TRANSITION_CONFIGURE)
    assert not go(ros, Transition.TRANSITION_ACTIVATE)
    assert 'cannot activate: RuntimeError: Unexpected QoS override' in ''.join(capfd.readouterr())
    assert state(ros) == 'inactive'
    assert 'segmentation' not in [thread.name for thread in threading.enumerate()]
    ros.wait_until(lambda: ros.probe.count_subscribers('/camera_info') == 0, 'no topics')


def test_a_node_that_fails_inside_a_transition_returns_to_the_state_before(
    ros, segmentation, monkeypatch, capfd
):
    segmentation(autostart=False)
    go(ros, Transition.TRANSITION_CONFIGURE)
    with monkeypatch.context() as patch:
        patch.setattr('espnet_ros.nodes.segmentation.session.Session.start', lambda *_: 1 / 0)
        assert not go(ros, Transition.TRANSITION_ACTIVATE)
    assert state(ros) == 'inactive'
    assert 'cannot activate: ZeroDivisionError' in ''.join(capfd.readouterr())
    assert go(ros, Transition.TRANSITION_ACTIVATE)


@pytest.mark.parametrize('names', [['1st'], ['a', 'a'], ['', 'a'], ['a/b'], ['a b']])
def test_cameras_that_topics_cannot_be_named_after_are_refused(segmentation, names):
    from espnet_ros.exceptions import ConfigError

    with pytest.raises(ConfigError, match='cameras: expected different names'):
        segmentation(cameras=names)
