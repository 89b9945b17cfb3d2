"""What a process imports as ``tensorrt`` where this folder is in its path; CUDA comes with it."""

import os

from espnet_ros.runtimes.cuda import opening
from fake_tensorrt.cudart import load_library
from fake_tensorrt.library import fill_module

fill_module(globals(), os.environ['FAKE_TENSORRT_VERSION'])
opening.ctypes.CDLL = load_library
opening._python_bindings = lambda: None
