"""Parameter files are read as ROS 2 reads them."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.nodes.launching.parameter_rules import read_parameter_rules
import pytest

RULES = {
    'any node': '/**: {ros__parameters: {a: 1}}',
    'name': 'segmentation: {ros__parameters: {a: 1}}',
    'full name': '/segmentation: {ros__parameters: {a: 1}}',
    'full name below a namespace': '/robot/segmentation: {ros__parameters: {a: 1}}',
    'name below a namespace': 'robot: {segmentation: {ros__parameters: {a: 1}}}',
    'one level': '/*: {ros__parameters: {a: 1}}',
    'two levels': '/*/*: {ros__parameters: {a: 1}}',
    'any namespace': '/**/segmentation: {ros__parameters: {a: 1}}',
    'any namespace, nested': '/**: {segmentation: {ros__parameters: {a: 1}}}',
    'one namespace': '/*/segmentation: {ros__parameters: {a: 1}}',
    'any node of a namespace': '/robot/**: {ros__parameters: {a: 1}}',
    'another node': '/other: {ros__parameters: {a: 1}}',
    'the last rule counts': """
        /**: {ros__parameters: {a: 1, b: 1, c: 1}}
        /segmentation: {ros__parameters: {a: 2}}
        /robot/segmentation: {ros__parameters: {a: 3}}
        /**/segmentation: {ros__parameters: {b: 4}}
        /*: {ros__parameters: {c: 5}}""",
    'the exact name does not count more': """
        /segmentation: {ros__parameters: {a: 1}}
        /robot/segmentation: {ros__parameters: {a: 1}}
        /**: {ros__parameters: {a: 2}}""",
    'nested and dotted': '/**: {ros__parameters: {a: {b: {c: x}, d.e: 2.5}, f: [u, w], g: true}}',
}


@pytest.mark.parametrize('namespace', ['', '/robot', '/fleet/robot'])
@pytest.mark.parametrize('text', RULES.values(), ids=RULES)
def test_node_gets_what_rclpy_gives_it(text: str, namespace: str, tmp_path: Path) -> None:
    rclpy = pytest.importorskip('rclpy', reason='no rclpy')
    path = tmp_path / 'parameters.yaml'
    path.write_text('\n'.join(line.strip() for line in text.splitlines()))
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node(
        'segmentation',
        namespace=namespace or '/',
        context=context,
        cli_args=['--ros-args', '--params-file', str(path)],
        automatically_declare_parameters_from_overrides=True,
    )
    try:
        given = {
            name: list(value) if isinstance(value, (list, tuple)) else value
            for name, value in (
                (name, parameter.value)
                for name, parameter in node.get_parameters_by_prefix('').items()
            )
            if name not in ('use_sim_time', 'start_type_description_service')
        }
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
    rules = read_parameter_rules('params_file', path)
    assert rules.of_node(f'{namespace}/segmentation') == given
    assert rules.names_node(f'{namespace}/segmentation') == bool(given)


def test_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'mine.yaml').write_text('/**: {ros__parameters: {a: 1}}')
    assert read_parameter_rules('params_file', '~/mine.yaml').path == tmp_path / 'mine.yaml'
