"""CUDA's runtime library, on a stand-in; and the real one, where it lies here."""

from __future__ import annotations

import ctypes

from espnet_ros.exceptions import DeviceLostError, InferenceError, RuntimeUnavailableError
from espnet_ros.runtimes.tensorrt import cuda as cuda_module
from espnet_ros.runtimes.tensorrt.buffers import TensorBuffer
from espnet_ros.runtimes.tensorrt.cuda import Attribute, Cuda, open_cuda, SIGNATURES
from espnet_ros.runtimes.tensorrt.cuda_graph import CapturedGraph
from fake_tensorrt import device as machine
from fake_tensorrt.cudart import FakeCudart
from fake_tensorrt.device import FakeDevice
import numpy as np
import pytest


@pytest.fixture
def cuda() -> Cuda:
    machine.install(FakeDevice())
    return Cuda(FakeCudart())


@pytest.fixture
def stream(cuda):
    made = cuda.create_stream()
    yield made
    cuda.destroy_stream(made)
    assert machine.current.leaks == []


def test_versions_and_attributes(cuda):
    assert cuda.runtime_version() == (12, 6)
    assert cuda.device_count() == 1
    assert cuda.attribute(Attribute.COMPUTE_CAPABILITY_MAJOR, 0) == 8


def test_addresses_keep_all_their_bits(cuda, stream):
    assert stream > 1 << 32
    address = cuda.allocate(16)
    assert address in machine.current.device_memory
    cuda.free(address)


@pytest.mark.parametrize('is_mapped', [True, False])
def test_a_buffer_goes_there_and_back(cuda, stream, is_mapped):
    machine.current.is_integrated = is_mapped
    buffer = TensorBuffer(cuda, (2, 3), np.float32, is_mapped=is_mapped)
    assert buffer.address % 256 == 0
    buffer.host[:] = [[1, 2, 3], [4, 5, 6]]
    buffer.upload((2, 3), stream)
    cuda.synchronize(stream)
    if not is_mapped:
        buffer.host[:] = 0
    buffer.download(1, stream)
    cuda.synchronize(stream)
    np.testing.assert_array_equal(buffer.host[0], [1, 2, 3])
    assert buffer.host[1].any() == is_mapped
    buffer.free()


def test_a_buffer_that_does_not_fit_leaves_nothing(cuda, stream):
    machine.current.fail_next['cudaMalloc'] = 2
    with pytest.raises(InferenceError, match=r'cudaMalloc failed with error 2, .*: out of memory'):
        TensorBuffer(cuda, (1, 3), np.uint8, is_mapped=False)
    assert not machine.current.host_memory


def test_a_graph_repeats_its_work(cuda, stream):
    buffer = TensorBuffer(cuda, (1, 3), np.uint8, is_mapped=False)
    graph = CapturedGraph(cuda, stream, lambda: buffer.upload((1, 3), stream))
    for value in (7, 8):
        buffer.host[:] = value
        graph.launch()
        cuda.synchronize(stream)
        buffer.host[:] = 0
        buffer.download(1, stream)
        cuda.synchronize(stream)
        assert buffer.host[0, 0] == value
    graph.destroy()
    buffer.free()


def test_a_recording_that_fails_leaves_the_stream_as_it_was(cuda, stream):
    def fail() -> None:
        raise InferenceError('the engine failed')

    with pytest.raises(InferenceError, match='the engine failed'):
        CapturedGraph(cuda, stream, fail)
    cuda.synchronize(stream)
    assert not machine.current.graphs


def test_a_fault_that_stays_has_a_kind_of_its_own(cuda):
    made = cuda.create_stream()
    machine.current.poison = 700
    with pytest.raises(DeviceLostError, match='process has to be started again'):
        cuda.synchronize(made)


def test_a_library_without_the_functions_is_passed_over(monkeypatch):
    monkeypatch.setattr(cuda_module, '_candidates', lambda: iter(['libc.so.6']))
    with pytest.raises(RuntimeUnavailableError, match='no CUDA runtime library: expected'):
        open_cuda()


@pytest.mark.parametrize(('driver', 'taken'), [(12040, 'old'), (13000, 'new'), (0, 'new')])
def test_a_library_that_is_newer_than_the_driver_is_passed_over(monkeypatch, driver, taken):
    class New(FakeCudart):
        def __init__(self) -> None:
            super().__init__()
            self.cudaRuntimeGetVersion = lambda pointer: setattr(pointer._obj, 'value', 13000) or 0

    machine.install(FakeDevice()).driver_version = driver
    libraries = {'new': New(), 'old': FakeCudart()}
    monkeypatch.setattr(cuda_module, '_candidates', lambda: iter(libraries))
    monkeypatch.setattr(cuda_module.ctypes, 'CDLL', libraries.get)
    assert open_cuda().runtime_version()[0] == {'old': 12, 'new': 13}[taken]


def real_library() -> str | None:
    """Return a libcudart of this machine, or None."""
    for path in cuda_module._candidates():
        try:
            ctypes.CDLL(path)
        except OSError:
            continue
        return path
    return None


@pytest.mark.skipif(real_library() is None, reason='no libcudart on this machine')
def test_the_real_library_has_every_function():
    cuda = Cuda(ctypes.CDLL(real_library()))
    assert set(SIGNATURES) == set(cuda._functions)
    assert cuda.runtime_version() >= (11, 0)
    try:
        assert cuda.device_count() >= 1
    except InferenceError as error:  # no driver
        assert 'cudaGetDeviceCount failed with error' in str(error)
