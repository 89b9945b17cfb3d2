"""The program itself: commands, exit codes, errors of one line, and what it imports."""

from pathlib import Path
import subprocess
import sys

from espnet_ros.cli.main import COMMANDS
import pytest

HEAVY = ('cv2', 'onnx', 'onnxruntime', 'openvino', 'rclpy', 'torch')


def run_process(*arguments: str, code: str = '') -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(['-c', code] if code else ['-m', 'espnet_ros.cli']), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def one_line(text: str) -> bool:
    return len(text.splitlines()) == 1 and text.startswith('espnet-ros')


@pytest.mark.parametrize('words', [['--help'], *([command, '--help'] for command in COMMANDS)])
def test_help_imports_no_library_that_is_slow_or_may_be_missing(words: list[str]) -> None:
    code = (
        'import sys; from espnet_ros.cli.main import main; code = main(sys.argv[1:]); '
        f'print("imported", [m for m in {HEAVY} if m in sys.modules]); sys.exit(code)'
    )
    done = run_process(*words, code=code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith('imported []\n')


def test_help_names_every_command_and_the_exit_codes(cli) -> None:
    ended = cli('--help')
    assert ended.code == 0
    for command in COMMANDS:
        assert f' {command} ' in ended.out
    assert '130 interrupted' in ended.out


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_every_command_is_complete(cli, command: str) -> None:
    ended = cli(command, '--help')
    assert ended.code == 0
    assert f'usage: espnet-ros {command}' in ended.out
    assert '--verbose' in ended.out


def test_version_is_that_of_the_package(cli) -> None:
    ended = cli('--version')
    assert ended.code == 0
    assert ended.out.startswith('espnet-ros ')


def test_module_runs_as_the_command() -> None:
    done = run_process('--version')
    assert (done.returncode, done.stdout[:11]) == (0, 'espnet-ros ')


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ([], 'expected a command'),
        (['fly'], "invalid choice: 'fly'"),
        (['segment'], 'required: SOURCE'),
        (['segment', 'a.png', '--runtime', 'abacus'], 'expected one of auto, tensorrt'),
        (['segment', 'a.png', '--alpha', '2'], 'expected 0 to 1, found 2'),
        (['segment', 'a.png', '--roi', '1,2,three,4'], 'expected integer array'),
        (['segment', 'a.png', '--limit', '0'], 'whole number above 0'),
        (['segment', 'a.png', '--lim', '1'], 'unrecognized arguments'),
        (['compare', 'a', 'b', 'c', '--require', '101'], 'from 0 to 100'),
        (['export', 'a.onnx', '--output', 'b.onnx', '--input-size', '5'], 'HEIGHT,WIDTH'),
        (['models', 'fetch'], 'required'),
    ],
)
def test_wrong_usage_is_code_2_and_one_line(cli, words: list[str], told: str) -> None:
    ended = cli(*words)
    assert ended.code == 2
    assert one_line(ended.err), ended.err
    assert told in ended.err


def test_settings_that_do_not_go_together_are_wrong_usage(cli, photos: Path) -> None:
    ended = cli('segment', photos, '--roi', '1,2,0,4', '--output', photos / 'out')
    assert ended.code == 2
    assert one_line(ended.err)
    assert not (photos / 'out').exists()


def test_failed_job_is_code_1_and_one_line(cli, tmp_path: Path) -> None:
    ended = cli('segment', tmp_path / 'none.png', '--output', tmp_path / 'out')
    assert ended.code == 1
    assert one_line(ended.err)
    assert 'no such file' in ended.err


@pytest.mark.parametrize('before', [True, False])
def test_verbose_adds_the_trace(cli, tmp_path: Path, before: bool) -> None:
    words = ['segment', tmp_path / 'none.png', '--output', tmp_path / 'out']
    ended = cli(*(['--verbose', *words] if before else [*words, '--verbose']))
    assert ended.code == 1
    assert 'Traceback' in ended.err
    assert one_line(ended.err.splitlines()[-1])


def test_missing_library_names_what_to_install() -> None:
    code = (
        'import sys; sys.modules["torch"] = None; from espnet_ros.cli.main import main; '
        'sys.exit(main(["export", "a.pth", "--output", "b.onnx"]))'
    )
    done = run_process(code=code)
    assert done.returncode == 1
    assert "pip install 'espnet-ros[torch]'" in done.stderr
    assert one_line(done.stderr)


def test_reader_that_leaves_early_ends_it_quietly(tmp_path: Path) -> None:
    command = f'{sys.executable} -m espnet_ros.cli models list --json | head -c 1'
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ''
