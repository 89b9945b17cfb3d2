"""What a process imports as ``tensorrt`` where this folder is in its path; CUDA comes with it."""

import os

from espnet_ros.runtimes.tensorrt import cuda
from fake_tensorrt.cudart import load_library
from fake_tensorrt.library import fill_module

fill_module(globals(), os.environ['FAKE_TENSORRT_VERSION'])
cuda.ctypes.CDLL = load_library
