"""Which precision the layers of an engine really have."""

from __future__ import annotations

from collections import Counter
import json
import re
from typing import Any

_KINDS = (
    (re.compile(r'\bint8\b', re.IGNORECASE), 'int8'),
    (re.compile(r'\b(half|fp16|float16)\b', re.IGNORECASE), 'fp16'),
    (re.compile(r'\b(bf16|bfloat16)\b', re.IGNORECASE), 'bf16'),
    (re.compile(r'\b(fp32|float|float32)\b', re.IGNORECASE), 'fp32'),
)
_LAYERS = re.compile(r'conv|deconv|matrix|gemm|foreign', re.IGNORECASE)


def layer_precisions(trt: Any, engine: Any) -> Counter[str]:
    """
    Count the layers that compute by the precision of what they read.

    The inspector's JSON differs from version to version: up to 10.16 a tensor has one text
    such as ``Channel major FP16 format``, in 11 format and type have fields of their own. An
    engine that was built without detailed verbosity gives names only, and an empty count.
    """
    inspector = engine.create_engine_inspector()  # every version; the engine outlives it here
    text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        layers = json.loads(text).get('Layers', [])
    except (AttributeError, ValueError):
        return Counter()
    known = [layer for layer in layers if isinstance(layer, dict)]
    computing = [layer for layer in known if _LAYERS.search(str(layer.get('LayerType', '')))]
    return Counter(
        kind for layer in computing or known if (kind := _kind_of(layer.get('Inputs'))) is not None
    )


def main_precision(counts: Counter[str], asked: str) -> str:
    """
    Return the precision that most layers have: what was asked for where it is among them.

    A builder that may use FP16 leaves single layers in FP32 where that is faster; an engine
    without any FP16 layer is not an FP16 engine.
    """
    if not counts or counts[asked]:
        return asked
    return counts.most_common(1)[0][0]


def _kind_of(inputs: Any) -> str | None:
    texts = [json.dumps(entry) for entry in inputs] if isinstance(inputs, list) else []
    for text in texts:
        for pattern, kind in _KINDS:
            if pattern.search(text):
                return kind
    return None
