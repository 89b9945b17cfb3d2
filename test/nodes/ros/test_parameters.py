from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.settings import section, setting
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.ros import parameters as node_parameters
from espnet_ros.nodes.ros.parameters import declare_settings
from rcl_interfaces.msg import ParameterType, SetParametersResult
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter

HAS_NEWER_CALLBACKS = hasattr(Node, 'add_post_set_parameters_callback')


@dataclass(frozen=True)
class Inner:
    alpha: float = setting(0.5, 'Opacity.', minimum=0.0, maximum=1.0)
    low: int = setting(0, 'Lower end.', minimum=0)
    high: int = setting(9, 'Upper end.', minimum=0, maximum=99)

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ConfigError(f'low: expected at most high, {self.high}, found {self.low}')


@dataclass(frozen=True)
class Settings:
    kind: str = setting('raw', 'Kind.', choices=('raw', 'compressed'), read_only=True)
    names: tuple[str, ...] = setting(('',), 'Names.')
    numbers: tuple[float, ...] = setting((0.0,), 'Numbers.')
    rate_hz: float = setting(0.0, 'Rate.', minimum=0.0)
    inner: Inner = section(Inner, 'inner')


def make_node(ros, arguments=(), values=()):
    values_at_start = [Parameter(name, value=value) for name, value in values]
    return ros.add(
        Node(
            'subject',
            context=ros.context,
            cli_args=['--ros-args', *arguments],
            use_global_arguments=False,
            parameter_overrides=values_at_start,
        )
    )


def file_argument(tmp_path, text):
    path = tmp_path / 'parameters.yaml'
    path.write_text(f'/**:\n  ros__parameters:\n{text}')
    return ('--params-file', str(path))


def set_by_service(ros, *parameters):
    request = SetParameters.Request(parameters=[p.to_parameter_msg() for p in parameters])
    return ros.call(SetParameters, 'subject/set_parameters', request).results


def test_nothing_given_leaves_the_defaults(ros):
    node = make_node(ros)
    assert declare_settings(node, Settings) == Settings()
    assert node.get_parameter('inner.alpha').value == 0.5
    assert node.get_parameter('names').value == ['']


def test_a_file_sets_values_and_an_integer_serves_as_a_double(ros, tmp_path):
    text = '    inner: {alpha: 1, low: 3}\n    numbers: [1, 2]\n    rate_hz: 5\n'
    node = make_node(ros, file_argument(tmp_path, text))
    settings = declare_settings(node, Settings)
    assert settings == Settings(numbers=(1.0, 2.0), rate_hz=5.0, inner=Inner(1.0, 3))
    assert node.get_parameter('inner.alpha').type_ == Parameter.Type.DOUBLE
    assert node.get_parameter('numbers').type_ == Parameter.Type.DOUBLE_ARRAY


@pytest.fixture
def hidden_overrides(monkeypatch):
    """Stand in for an rclpy that keeps the values given at start to itself."""
    monkeypatch.setattr(node_parameters, '_MEMBER', '_gone')


def test_values_given_at_start_are_found_without_private_members(ros, tmp_path, hidden_overrides):
    text = '    inner: {alpha: 1, low: 3}\n    numbers: [1, 2]\n    names: []\n    other: 1\n'
    node = make_node(ros, file_argument(tmp_path, text), [('rate_hz', 5)])
    assert node_parameters.find_overrides(node, ['kind']) == {}
    settings = declare_settings(node, Settings)
    assert settings == Settings(numbers=(1.0, 2.0), rate_hz=5.0, inner=Inner(1.0, 3))
    assert node.get_parameter('numbers').type_ == Parameter.Type.DOUBLE_ARRAY
    assert not node.has_parameter('other')


def test_a_bad_value_at_start_is_refused_without_private_members(ros, hidden_overrides):
    node = make_node(ros, values=[('inner.alpha', 7)])
    with pytest.raises(ConfigError, match='alpha'):
        declare_settings(node, Settings)
    assert not node.has_parameter('inner.alpha')


def test_an_empty_list_leaves_the_default(ros, tmp_path):
    node = make_node(ros, file_argument(tmp_path, '    names: []\n'))
    assert declare_settings(node, Settings).names == ('',)
    assert node.get_parameter('names').type_ == Parameter.Type.STRING_ARRAY


@pytest.mark.parametrize(
    ('argument', 'words'),
    [
        ('inner.alpha:=1.5', 'inner.alpha: expected 0 to 1, found 1.5'),
        ('inner.alpha:=.nan', 'inner.alpha: expected 0 to 1, found nan'),
        ('inner.alpha:=much', "inner.alpha: expected a value of type double, found 'much'"),
        ('kind:=cooked', "kind: expected one of raw, compressed, found 'cooked'"),
        ('names:=front', "names: expected a value of type string_array, found 'front'"),
        ('inner.low:=10', 'low: expected at most high, 9, found 10'),
        ('rate_hz:=-1', 'rate_hz: expected 0 to inf, found -1'),
    ],
)
def test_a_bad_value_at_start_says_what_is_allowed_and_declares_nothing(ros, argument, words):
    node = make_node(ros, ('-p', argument))
    with pytest.raises(ConfigError) as error:
        declare_settings(node, Settings)
    assert str(error.value) == words
    assert not node.has_parameter('kind')


def test_descriptors_tell_type_range_choices_and_what_is_fixed(ros):
    declare_settings(make_node(ros), Settings)
    request = DescribeParameters.Request(names=['inner.alpha', 'kind', 'rate_hz', 'inner.high'])
    alpha, kind, rate, high = ros.call(
        DescribeParameters, 'subject/describe_parameters', request
    ).descriptors
    assert (alpha.type, alpha.description) == (ParameterType.PARAMETER_DOUBLE, 'Opacity.')
    assert alpha.floating_point_range[0].to_value == 1.0
    assert not alpha.read_only
    assert kind.read_only
    assert kind.additional_constraints == 'one of raw, compressed'
    assert rate.additional_constraints == 'at least 0'
    assert high.integer_range[0].to_value == 99


@pytest.fixture(params=['post-set', 'humble'])
def callbacks_of_rclpy(request, monkeypatch):
    """Give an rclpy with the callbacks that came after Humble, and one without them."""
    if request.param == 'humble':
        for phase in ('pre', 'post'):
            monkeypatch.delattr(Node, f'add_{phase}_set_parameters_callback', raising=False)
    elif not HAS_NEWER_CALLBACKS:
        pytest.skip('this rclpy is as old as Humble')


@pytest.fixture
def changes(callbacks_of_rclpy, ros):
    """Return the node and the settings that it was told."""
    told = []
    node = make_node(ros)
    declare_settings(node, Settings, on_change=told.append)
    return node, told


def test_a_live_change_is_applied_once_it_is_stored(ros, changes):
    node, told = changes
    (result,) = set_by_service(ros, Parameter('inner.alpha', value=0.25))
    assert result.successful
    ros.wait_until(lambda: told, 'the change')
    assert told[-1] == Settings(inner=Inner(alpha=0.25))
    assert node.get_parameter('inner.alpha').value == 0.25


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        (Parameter('inner.alpha', value=2.0), 'Min: 0.0, Max: 1.0, value: 2.0'),
        (Parameter('rate_hz', value=-1.0), 'rate_hz: expected 0 to inf, found -1'),
        (Parameter('inner.low', value=10), 'low: expected at most high, 9, found 10'),
        (Parameter('kind', value='compressed'), 'read-only'),
        (Parameter('rate_hz', value='fast'), 'Wrong parameter type'),
        (Parameter('rate_hz'), 'cannot be undeclared'),
    ],
)
def test_a_refused_change_says_what_is_allowed_and_changes_nothing(ros, changes, parameter, words):
    _, told = changes
    (result,) = set_by_service(ros, parameter)
    assert not result.successful
    assert words in result.reason
    (result,) = set_by_service(ros, Parameter('inner.high', value=8))
    assert result.successful
    ros.wait_until(lambda: told, 'the change')
    assert told == [Settings(inner=Inner(high=8))]


def test_fields_that_belong_together_change_together(ros, changes):
    _, told = changes
    both = [Parameter('inner.low', value=20), Parameter('inner.high', value=30)]
    request = SetParametersAtomically.Request(parameters=[p.to_parameter_msg() for p in both])
    response = ros.call(SetParametersAtomically, 'subject/set_parameters_atomically', request)
    assert response.result.successful
    ros.wait_until(lambda: told, 'the change')
    assert told[-1].inner == Inner(low=20, high=30)


def test_a_change_that_another_callback_refuses_is_not_applied(ros, callbacks_of_rclpy):
    node, seen, told = make_node(ros), [], []

    def refuse(parameters):
        seen.extend(p.name for p in parameters)
        return SetParametersResult(successful=parameters[0].value != 3.0, reason='no')

    # rclpy asks the newest callback first; this one comes last.
    node.add_on_set_parameters_callback(refuse)
    declare_settings(node, Settings, on_change=told.append)
    seen.clear()
    assert not set_by_service(ros, Parameter('rate_hz', value=3.0))[0].successful
    assert set_by_service(ros, Parameter('inner.high', value=8))[0].successful
    assert seen == ['rate_hz', 'inner.high']
    ros.wait_until(lambda: told and told[-1].inner.high == 8, 'the change')
    assert all(settings.rate_hz == 0.0 for settings in told)


def test_a_check_of_the_node_refuses_too(ros):
    def check(settings):
        if 'forbidden' in settings.names:
            raise ConfigError('names: not this one')

    declare_settings(make_node(ros), Settings, check=check)
    (result,) = set_by_service(ros, Parameter('names', value=['forbidden']))
    assert (result.successful, result.reason) == (False, 'names: not this one')


@pytest.mark.skipif(not HAS_NEWER_CALLBACKS, reason="Humble's rclpy refuses another type itself")
def test_a_live_integer_serves_as_a_double(ros):
    told = []
    declare_settings(make_node(ros), Settings, on_change=told.append)
    assert set_by_service(ros, Parameter('inner.alpha', value=1))[0].successful
    ros.wait_until(lambda: told, 'the change')
    assert told[-1].inner.alpha == 1.0


def test_an_unknown_name_is_warned_of_and_ignored(ros, capfd):
    node = make_node(ros, ('-p', 'inner.alhpa:=0.1', '-p', 'use_sim_time:=false'))
    assert declare_settings(node, Settings) == Settings()
    output = ''.join(capfd.readouterr())
    assert 'ignored unknown parameters: inner.alhpa;' in output
