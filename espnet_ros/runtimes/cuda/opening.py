"""Finding CUDA's runtime library on this machine."""

from __future__ import annotations

from collections.abc import Iterator
import ctypes
from importlib import import_module
import importlib.util
from pathlib import Path

from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.runtimes.cuda.api import CudaApi
from espnet_ros.runtimes.cuda.ctypes_api import CtypesCuda
from espnet_ros.runtimes.cuda.python_api import PythonCuda

_MODULES = ('cuda.bindings.runtime', 'cuda.cudart')
"""``cuda.bindings`` since cuda-python 12.6.1; ``cuda.cudart`` before, and gone in 13."""

_NAMES = ('libcudart.so.12', 'libcudart.so.13', 'libcudart.so.11.0', 'libcudart.so')
_FOLDERS = ('/usr/local/cuda/lib64',)
_PIP_FOLDERS = ('nvidia/cuda_runtime/lib', 'nvidia/cu13/lib')


def open_cuda() -> CudaApi:
    """
    Return CUDA's runtime: by cuda-python where that is installed, else by ctypes.

    :raises RuntimeUnavailableError: there is none
    """
    return python_cuda() if _python_bindings() is not None else ctypes_cuda()


def python_cuda() -> CudaApi:
    """
    Return CUDA's runtime by cuda-python.

    :raises RuntimeUnavailableError: it is not installed
    """
    module = _python_bindings()
    if module is None:
        raise RuntimeUnavailableError('cuda-python is not installed: pip install cuda-python')
    return PythonCuda(module)


def ctypes_cuda() -> CudaApi:
    """
    Return CUDA's runtime by ctypes.

    :raises RuntimeUnavailableError: there is no libcudart
    """
    for path in _candidates():
        try:
            return CtypesCuda(ctypes.CDLL(path))
        except (AttributeError, OSError):
            continue
    raise RuntimeUnavailableError(
        'no CUDA runtime library: expected libcudart.so in the library path or in '
        f'{_FOLDERS[0]}; install CUDA (part of JetPack: sudo apt install nvidia-jetpack)'
    )


def _python_bindings() -> object | None:
    for name in _MODULES:
        try:
            return import_module(name)
        # A broken installation raises anything from its native parts; ctypes may still work.
        except (ImportError, OSError, RuntimeError):
            continue
    return None


def _candidates() -> Iterator[str]:
    yield from _NAMES
    folders = [Path(folder) for folder in _FOLDERS]
    spec = importlib.util.find_spec('nvidia')
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folders += [Path(root).parent / folder for folder in _PIP_FOLDERS]
    for folder in folders:
        yield from (str(path) for path in sorted(folder.glob('libcudart.so*')))
