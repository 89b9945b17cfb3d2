"""
NVIDIA's own Python bindings of TensorRT 11, on the libraries of TensorRT-RTX: no GPU is needed.

TensorRT's own libraries build nothing without a driver. Those of TensorRT-RTX have the same C++
interface, so the bindings find them under the names of TensorRT's.

    python real_bindings.py MODEL    builds it in a process with :func:`environment`
"""

from __future__ import annotations

from importlib.util import find_spec
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

_LINKS = {
    'libnvinfer.so.11': 'libtensorrt_rtx.so.1',
    'libnvonnxparser.so.11': 'libtensorrt_onnxparser_rtx.so.1',
}
_PLUGINS = 'int initLibNvInferPlugins(void *logger, const char *space) { return 1; }'


def environment(folder: Path) -> dict[str, str]:
    """
    Return the variables with which a process finds the bindings as the module tensorrt.

    :param folder: gets the links; the test is skipped where there is nothing to link
    """
    found = [find_spec(name) for name in ('tensorrt_bindings', 'tensorrt_rtx_libs')]
    compiler = shutil.which('cc')
    if None in found or compiler is None:
        pytest.skip(
            'needs a C compiler, tensorrt-rtx-cu12 and: '
            'pip install --no-deps tensorrt-cu12-bindings==11.4.0.106'
        )
    bindings, libraries = (Path(spec.origin).parent for spec in found)
    for name, target in _LINKS.items():
        (folder / name).symlink_to(libraries / target)
    (folder / 'tensorrt').symlink_to(bindings)
    subprocess.run(
        [compiler, '-shared', '-o', 'libnvinfer_plugin.so.11', '-xc', '-'],
        input=_PLUGINS, text=True, check=True, cwd=folder,
    )  # fmt: skip
    path = os.pathsep.join([str(folder), *sys.path])
    return {**os.environ, 'PYTHONPATH': path, 'LD_LIBRARY_PATH': str(folder)}


def main() -> None:
    """Build a model with confidence, once to the end and once cancelled; print what came."""
    from espnet_ros.exceptions import ModelError
    from espnet_ros.model_file import open_model
    from nvidia_compiler import compile_model, Variant
    import tensorrt

    model = open_model(sys.argv[1])
    compiled = compile_model(model, Variant(), library='tensorrt')
    try:
        compile_model(model, Variant(), library='tensorrt', report=lambda *_: False)
        cancelled = ''
    except ModelError as error:
        cancelled = str(error)
    facts = {
        'version': tensorrt.__version__,
        'kernels': compiled.kernels,
        'precisions': compiled.precisions,
        'complaints': compiled.complaints,
        'cancelled': cancelled,
    }
    sys.stdout.write(json.dumps(facts) + '\n')


if __name__ == '__main__':
    main()
