"""The module ``tensorrt`` of one version."""

from __future__ import annotations

from enum import IntEnum
import types
from typing import Any

from fake_tensorrt import building, running
from fake_tensorrt.naming import API, bind, enum_of

VERSIONS = tuple(API)
ENUMS = (
    'BuilderFlag',
    'NetworkDefinitionCreationFlag',
    'MemoryPoolType',
    'ProfilingVerbosity',
    'DataType',
    'TensorIOMode',
    'LayerInformationFormat',
)
CLASSES = (
    building.Builder,
    building.INetworkDefinition,
    building.ParserError,
    building.OnnxParser,
    building.IOptimizationProfile,
    building.ITimingCache,
    building.IBuilderConfig,
    building.IHostMemory,
    running.Runtime,
    running.ICudaEngine,
    running.IExecutionContext,
    running.EngineInspector,
)


class Severity(IntEnum):
    """Lower is worse (section 3.3)."""

    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class Checked(type):
    """A class whose children must call its ``__init__`` (section 8, 10)."""

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        made = super().__call__(*arguments, **keywords)
        if not made.__dict__.get('_is_made'):
            raise TypeError(f'{cls.__name__}.__init__() must be called when overriding __init__')
        return made


class ILogger(metaclass=Checked):
    def __init__(self) -> None:
        self._is_made = True


class IProgressMonitor(metaclass=Checked):
    """``trt.IProgressMonitor`` (9.1, 10.0 and newer)."""

    def __init__(self) -> None:
        self._is_made = True


def make_module(version: str) -> types.ModuleType:
    module = types.ModuleType('tensorrt')
    module.__spec__ = types.SimpleNamespace(name='tensorrt', origin='fake')  # type: ignore[assignment]
    fill_module(module.__dict__, version)
    return module


def fill_module(content: dict[str, Any], version: str) -> None:
    """Put everything that the version has into a module's dictionary."""
    content['__version__'] = version
    content['Severity'] = Severity
    content['ILogger'] = ILogger
    if 'IProgressMonitor' in API[version]:
        content['IProgressMonitor'] = IProgressMonitor
    for name in ENUMS:
        content[name] = enum_of(name, version)
    namespace = types.SimpleNamespace(__version__=version)
    for behaviour in CLASSES:
        made = bind(behaviour, version)
        made._trt = namespace
        content[made.__name__] = made
    namespace.__dict__.update({k: v for k, v in content.items() if not k.startswith('__')})
    namespace.__version__ = version
