"""What a process imports as ``tensorrt`` where this folder is in its path."""

import os

from fake_tensorrt.library import fill_module

fill_module(globals(), os.environ['FAKE_TENSORRT_VERSION'])
