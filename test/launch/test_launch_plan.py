"""What the launch starts, and with what; that nothing is started where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from espnet_ros.config import LaunchSettings
from espnet_ros.exceptions import ConfigError, EspnetError
from espnet_ros.nodes.launching import checks
from espnet_ros.nodes.launching import parts as launch_parts
from espnet_ros.nodes.launching.parts import Process
from espnet_ros.nodes.launching.plan import LaunchPlan, read_arguments
from espnet_ros.nodes.ros.topics import MASK_TOPICS
from espnet_ros.settings import list_settings
import pytest

from .conftest import install, ROOT

Plan = Callable[..., LaunchPlan]
Parts = Callable[..., dict[str, Process]]

BROKEN = {
    'params_file that is not there': ({'params_file': '/nope.yaml'}, 'params_file: /nope.yaml'),
    'free_space_params_file that is not there': (
        {'free_space': True, 'free_space_params_file': '/nope.yaml'},
        'free_space_params_file: /nope.yaml',
    ),
    'folder as params_file': ({'params_file': '/'}, 'params_file: /: cannot be read'),
    'source file that is not there': ({'source': '/nope.mp4'}, 'source: /nope.mp4'),
    'webcam that is not there': ({'source': '987'}, 'source: no webcam /dev/video987'),
    'model name that is not known': ({'model': 'nope'}, "no model 'nope'"),
    'model file that is not there': ({'model': '/nope.onnx'}, "no model '/nope.onnx'"),
    'one image topic for two cameras': (
        {'cameras': 'front,left', 'image_topic': '/image_raw'},
        'image_topic: expected {camera} in it',
    ),
    'one camera_info topic for two cameras': (
        {'cameras': 'front,left', 'camera_info_topic': '/camera_info'},
        'camera_info_topic: expected {camera} in it',
    ),
    'one webcam for two cameras': ({'cameras': 'front,left', 'source': '0'}, 'source: expected'),
    'pattern without cameras': ({'image_topic': '/{camera}/image'}, 'image_topic: expected a'),
    'camera name that topics cannot have': ({'cameras': 'front,2nd'}, "cameras: .* found .*'2nd'"),
    'enclave that is no name': (
        {'enclave': 'espnet_ros'},
        'like /espnet_ros, found .espnet_ros.$',
    ),
    'camera twice': ({'cameras': 'front,front'}, 'cameras: expected different names'),
}


def rules(process: Process) -> dict[str, str]:
    return dict(process.remappings)


def test_one_camera_is_segmented_and_nothing_else(parts: Parts) -> None:
    assert list(parts()) == ['segmentation']
    assert rules(parts()['segmentation'])['image_raw'] == 'image_raw'


def test_everything_that_is_wanted_is_started_on_one_camera(parts: Parts) -> None:
    wanted = parts(source='synthetic', free_space=True, rviz=True, image_topic='/cam/image')
    assert list(wanted) == ['segmentation', 'free_space', 'camera_source', 'rviz']
    for name in ('segmentation', 'camera_source', 'rviz'):
        assert rules(wanted[name]) == {
            'image_raw': '/cam/image',
            'image_raw/compressed': '/cam/image/compressed',
            'camera_info': '/cam/camera_info',
        }
    assert rules(wanted['free_space']) == {
        kind: f'segmentation/{kind}'
        for kind in ('mask', 'confidence', 'camera_info', 'label_info', 'label_set')
    }


@pytest.mark.parametrize(
    ('image_topic', 'info_topic'),
    [
        ('', 'camera_info'),
        ('image_raw', 'camera_info'),
        ('/image_raw', '/camera_info'),
        ('/camera/image_raw', '/camera/camera_info'),
        ('camera/color/image_rect', 'camera/color/camera_info'),
    ],
)
def test_calibration_is_taken_from_beside_the_images(
    parts: Parts, image_topic: str, info_topic: str
) -> None:
    assert rules(parts(image_topic=image_topic)['segmentation'])['camera_info'] == info_topic


def test_calibration_topic_that_is_given_is_taken(parts: Parts) -> None:
    found = parts(image_topic='/camera/image_raw', camera_info_topic='/other/info')
    assert rules(found['segmentation'])['camera_info'] == '/other/info'


def test_arguments_come_after_the_file_and_empty_ones_leave_it_alone(parts: Parts) -> None:
    process = parts(runtime='fake', use_sim_time=True)['segmentation']
    assert process.parameters == {
        'runtime': 'fake',
        'build_only': False,
        'use_sim_time': True,
    }
    assert process.parameter_file == ROOT / 'config' / 'segmentation.yaml'
    assert process.ros_arguments == ('--log-level', 'info')


@pytest.mark.parametrize('where', ['argument', 'params_file'])
def test_cameras_are_wired_through_to_free_space_and_their_sources(
    parts: Parts, parameter_file: Callable[[str], str], where: str
) -> None:
    text = '/**/segmentation: {ros__parameters: {cameras: [front, left]}}'
    cameras = (
        {'cameras': 'front,left'} if where == 'argument' else {'params_file': parameter_file(text)}
    )
    found = parts(source='synthetic', free_space=True, rviz=True, namespace='robot', **cameras)
    segmentation, free_space = found['segmentation'], found['free_space']
    assert rules(segmentation) == {
        **rules(found['camera_source_front']),
        **rules(found['camera_source_left']),
    }
    assert rules(segmentation)['left/image_raw'] == 'left/image_raw'
    assert rules(segmentation)['left/camera_info'] == 'left/camera_info'
    assert rules(free_space)['front/mask'] == 'segmentation/front/mask'
    assert rules(free_space)['left/label_set'] == 'segmentation/left/label_set'
    assert len(free_space.remappings) == 2 * len(MASK_TOPICS)
    assert free_space.parameters['cameras'] == ('front', 'left')
    assert ('cameras' in segmentation.parameters) == (where == 'argument')
    frames = {found[f'camera_source_{name}'].parameters['frame_id'] for name in ('front', 'left')}
    assert len(frames) == 2, 'each camera has a frame of its own'
    assert rules(found['rviz'])['segmentation/overlay'] == 'segmentation/front/overlay'
    assert rules(found['rviz'])['image_raw'] == 'front/image_raw'


def test_patterns_name_the_topics_of_every_camera(parts: Parts, tmp_path: Path) -> None:
    for name in ('front', 'left'):
        (tmp_path / f'{name}.mp4').touch()
    found = parts(
        cameras='front, left',
        image_topic='/{camera}_camera/image_color',
        source=f'{tmp_path}/{{camera}}.mp4',
    )
    wired = rules(found['segmentation'])
    assert wired['left/image_raw'] == '/left_camera/image_color'
    assert wired['left/image_raw/compressed'] == '/left_camera/image_color/compressed'
    assert wired['left/camera_info'] == '/left_camera/camera_info'
    assert found['camera_source_left'].parameters['source'] == f'{tmp_path}/left.mp4'
    assert 'frame_id' not in found['camera_source_left'].parameters, 'bags have their own frames'


def test_free_space_may_have_some_of_the_cameras_and_no_others(
    parts: Parts, parameter_file: Callable[[str], str]
) -> None:
    file = parameter_file('/**: {ros__parameters: {cameras: [left]}}')
    arguments = {'free_space': True, 'free_space_params_file': file}
    some = parts(cameras='front,left', **arguments)['free_space']
    assert some.parameters['cameras'] == ('left',)
    assert {source for source, _ in some.remappings} == {f'left/{kind}' for kind in MASK_TOPICS}
    with pytest.raises(ConfigError, match=r'one without a name\), found left'):
        parts(**arguments)


@pytest.mark.parametrize(('arguments', 'words'), BROKEN.values(), ids=BROKEN)
def test_what_cannot_start_is_refused_in_one_line(
    plan: Plan, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(EspnetError, match=words) as error:
        plan(**arguments)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('a: [1', r'expected YAML, found none: .*line 1'),
        ('- 1', 'expected names of nodes with ros__parameters'),
        ('', 'expected names of nodes with ros__parameters'),
        ('segmentation: {model: auto}', 'expected names of nodes with ros__parameters'),
        ('/**: {ros__parameters: {cameras: front}}', "cameras: expected .*string_array, found 'f"),
    ],
)
def test_parameter_file_that_is_none_is_refused(
    plan: Plan, parameter_file: Callable[[str], str], text: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        plan(params_file=parameter_file(text))
    assert '\n' not in str(error.value)


def test_model_of_the_parameter_file_is_looked_for_unless_another_is_given(
    plan: Plan, parameter_file: Callable[[str], str]
) -> None:
    file = parameter_file('/**: {ros__parameters: {model: nope}}')
    with pytest.raises(EspnetError, match='nope'):
        plan(params_file=file)
    assert plan(params_file=file, model='auto').processes


@pytest.mark.parametrize('above', ['/robot/eyes', '/robot/eyes/'])
def test_every_process_gets_the_enclave_of_its_name(parts: Parts, above: str) -> None:
    found = parts(enclave=above, source='synthetic', cameras='front,left', rviz=True)
    assert {'segmentation', 'camera_source_front', 'rviz'} <= set(found)
    for name, process in found.items():
        assert process.ros_arguments[-2:] == ('--enclave', f'/robot/eyes/{name}')
    for process in parts(source='synthetic', rviz=True).values():
        assert '--enclave' not in process.ros_arguments


def test_enclave_without_keys_is_named_before_anything_starts_where_they_are_needed(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_keys(enclave: str) -> None:
        (tmp_path / 'enclaves' / enclave).mkdir(parents=True)
        (tmp_path / 'enclaves' / enclave / 'permissions.p7s').touch()

    def is_refused(words: str, **arguments: str) -> None:
        with pytest.raises(ConfigError, match=words) as error:
            plan(**arguments)
        assert '\n' not in str(error.value)

    make_keys('eyes/segmentation')
    monkeypatch.setenv('ROS_SECURITY_ENABLE', 'true')
    assert plan(enclave='/other').processes, 'nodes may run without keys'
    monkeypatch.setenv('ROS_SECURITY_STRATEGY', 'Enforce')
    is_refused(r'ROS_SECURITY_KEYSTORE \(not set\)', enclave='/eyes')
    monkeypatch.setenv('ROS_SECURITY_KEYSTORE', str(tmp_path))
    is_refused('use enclave:=/espnet_ros')
    (tmp_path / 'enclaves' / 'permissions.p7s').touch()
    assert plan().processes, 'those of the root enclave count'
    is_refused(f'keys of /other/segmentation in .*{tmp_path}', enclave='/other')
    is_refused('keys of /eyes/free_space', enclave='/eyes', free_space=True)
    assert plan(enclave='/eyes').processes
    make_keys('all')
    monkeypatch.setenv('ROS_SECURITY_ENCLAVE_OVERRIDE', '/all')
    assert plan(free_space=True).processes, 'the variable counts, whatever is passed'


@pytest.mark.parametrize('executable', ['rviz2/rviz2', 'espnet_ros/free_space_node'])
def test_program_that_is_not_installed_is_named_before_anything_starts(
    plan: Plan, prefix: Path, executable: str
) -> None:
    path = prefix / 'lib' / executable
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=f'lib/{executable}'):
        plan(rviz=True, free_space=True)
    assert plan().processes, 'who does not ask for it does not need it'
    path.unlink()
    with pytest.raises(ConfigError, match=f'lib/{executable}'):
        plan(rviz=True, free_space=True)
    install(prefix, executable)
    assert plan(rviz=True, free_space=True).processes


def test_file_that_has_nothing_for_the_node_is_told(
    plan: Plan, parameter_file: Callable[[str], str]
) -> None:
    file = parameter_file('/segmentation: {ros__parameters: {model: auto}}')
    assert plan(params_file=file).warnings == ()
    (warning,) = plan(params_file=file, namespace='robot').warnings
    assert 'nothing in it is for /robot/segmentation, but /segmentation' in warning
    (warning,) = plan(params_file=file, base_namespace='/fleet').warnings
    assert '/fleet/segmentation' in warning


def test_rectified_images_that_free_space_takes_for_raw_ones_are_told(
    plan: Plan, parameter_file: Callable[[str], str]
) -> None:
    topic = '/camera/image_rect_color'
    (warning,) = plan(image_topic=topic, free_space=True).warnings
    assert f'{topic} is called rectified, but image_rectified is false' in warning
    assert plan(image_topic=topic).warnings == (), 'masks of any image are right'
    assert plan(image_topic='/camera/image_raw', free_space=True).warnings == ()
    file = parameter_file('/**: {ros__parameters: {image_rectified: true}}')
    rectified = plan(image_topic=topic, free_space=True, free_space_params_file=file)
    assert rectified.warnings == ()


def test_what_this_python_cannot_look_for_is_told_and_started(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nodes may have libraries that the Python of ros2 launch has not."""

    def raise_import_error(_: str) -> None:
        raise ModuleNotFoundError("No module named 'onnx'", name='onnx')

    monkeypatch.setattr('espnet_ros.nodes.launching.plan.check_model', raise_import_error)
    found = plan(model='nope')
    assert found.processes
    assert found.warnings == ('model nope: not checked, as ros2 launch has no onnx',)


def test_webcam_that_is_there_is_taken(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'video3').touch()
    monkeypatch.setattr('espnet_ros.sources.webcam.DEVICE_FOLDER', tmp_path)
    assert plan(source='3').processes[-1].parameters['source'] == '3'
    with pytest.raises(EspnetError, match=r'cameras found: \S+video3'):
        plan(source='4')


@pytest.mark.parametrize('has_tf', [True, False])
def test_mount_of_the_synthetic_camera_comes_from_one_place(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, has_tf: bool
) -> None:
    """With tf2_ros from its transform, which the camera source publishes; else from here."""
    monkeypatch.setattr(launch_parts, 'find_spec', lambda _: object() if has_tf else None)
    parameters = parts(source='synthetic', free_space=True)['free_space'].parameters
    assert ('mount.height_m' in parameters) == (not has_tf)
    assert 'mount.height_m' not in parts(free_space=True)['free_space'].parameters


def test_mount_that_the_user_tells_stays(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, parameter_file: Callable[[str], str]
) -> None:
    monkeypatch.setattr(launch_parts, 'find_spec', lambda _: None)
    file = parameter_file('/**: {ros__parameters: {pose_source: parameters}}')
    found = parts(source='synthetic', free_space=True, free_space_params_file=file)
    assert 'mount.height_m' not in found['free_space'].parameters


def test_frame_of_the_robot_is_one_for_all(
    parts: Parts, parameter_file: Callable[[str], str]
) -> None:
    file = parameter_file('/**: {ros__parameters: {base_frame: chassis}}')
    asked = {'source': 'synthetic', 'free_space': True, 'rviz': True}
    found = parts(**asked, free_space_params_file=file)
    assert found['camera_source'].parameters['base_frame'] == 'chassis'
    assert found['rviz'].arguments[-2:] == ('-f', 'chassis')
    assert '-f' not in parts(**asked)['rviz'].arguments


def test_build_only_starts_the_segmentation_node_alone_whose_end_is_no_death(parts: Parts) -> None:
    found = parts(
        build_only=True, source='synthetic', free_space=True, rviz=True, on_death='respawn'
    )
    assert list(found) == ['segmentation']
    process = found['segmentation']
    assert process.parameters['build_only'] is True
    assert not process.has_died(0)
    assert process.has_died(1)
    assert not process.respawns, 'a build that failed fails again'


@pytest.mark.parametrize('on_death', ['shutdown', 'respawn'])
def test_end_of_a_source_or_of_rviz_is_no_death_and_others_are(
    parts: Parts, on_death: str
) -> None:
    found = parts(source='synthetic', free_space=True, rviz=True, on_death=on_death)
    assert all(process.has_died(-9) for process in found.values())
    assert [name for name, p in found.items() if not p.has_died(0)] == ['camera_source', 'rviz']
    assert {process.respawns for process in found.values()} == {on_death == 'respawn'}


def test_arguments_are_read_from_text_and_strange_ones_refused() -> None:
    settings = read_arguments({'free_space': 'true', 'rviz': 'False', 'others': 'x', 'source': ''})
    assert (settings.free_space, settings.rviz, settings.source) == (True, False, '')
    with pytest.raises(ConfigError, match='rviz: expected true or false'):
        read_arguments({'rviz': 'yes'})
    with pytest.raises(ConfigError, match='on_death: expected one of shutdown, respawn'):
        read_arguments({'on_death': 'pray'})


@pytest.mark.parametrize('entry', list_settings(LaunchSettings), ids=lambda entry: entry.name)
def test_every_argument_is_described_by_a_sentence(entry) -> None:
    assert entry.description[0].isupper()
    assert entry.description.endswith('.')


def test_synthetic_is_the_word_of_the_sources() -> None:
    from espnet_ros.sources.opening import SYNTHETIC

    assert launch_parts.SYNTHETIC == SYNTHETIC
    checks.check_source(SYNTHETIC)


def test_the_live_view_is_served_where_it_is_wanted(parts, parameter_file) -> None:
    assert 'web.port' not in parts()['segmentation'].parameters
    assert parts(web=True)['segmentation'].parameters['web.port'] == 8421
    own = parameter_file('segmentation:\n  ros__parameters:\n    web.port: 9000\n')
    chosen = parts(web=True, params_file=own)['segmentation']
    assert 'web.port' not in chosen.parameters, 'that of the file stays'
