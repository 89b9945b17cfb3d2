"""Which precision the layers of an engine really have."""

from __future__ import annotations

from collections import Counter
import json
import logging
import re
from typing import Any

logger = logging.getLogger(__name__)

_KINDS = (
    (re.compile(r'\bint8\b', re.IGNORECASE), 'int8'),
    (re.compile(r'\b(half|fp16|float16)\b', re.IGNORECASE), 'fp16'),
    (re.compile(r'\b(bf16|bfloat16)\b', re.IGNORECASE), 'bf16'),
    (re.compile(r'\b(fp32|float|float32)\b', re.IGNORECASE), 'fp32'),
)
_MOVERS = re.compile(
    r'^(reformat|shuffle|copy|memcpy|cast|identity|noop|no-op|constant|slice|concat|transpose|shape|'
    r'runtime_function|signal|wait)',
    re.IGNORECASE,
)
"""Layers that move values and compute nothing. All others count, as every compiler has names of
its own for those: CaskConvolution up to 10, correlation, gemm, deconv, kgen and fusion since."""


def layer_precisions(trt: Any, engine: Any) -> Counter[str]:
    """
    Count the layers that compute by the precision of what they read.

    The inspector's JSON differs from version to version: up to 10.16 a tensor has one text
    such as ``Channel major FP16 format``, in 11 format and type have fields of their own. An
    engine that was built without detailed verbosity gives names only, and an empty count.
    """
    inspector = engine.create_engine_inspector()  # the engine outlives it here
    text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    try:
        layers = json.loads(text).get('Layers', [])
    except (AttributeError, ValueError):
        return Counter()
    computing = [
        layer
        for layer in layers
        if isinstance(layer, dict) and not _MOVERS.match(str(layer.get('LayerType', '')))
    ]
    return Counter(
        kind for layer in computing if (kind := _kind_of(layer.get('Inputs'))) is not None
    )


def main_precision(counts: Counter[str], requested: str) -> str:
    """
    Return the precision that most layers have, what was requested where it is among them; log it.

    A builder that may use FP16 leaves single layers in FP32 where that is faster; an engine
    without any FP16 layer is not an FP16 engine.
    """
    words = ', '.join(f'{n} in {kind}' for kind, n in counts.most_common())
    logger.info('layers of the engine: %s', words or 'not told by this TensorRT')
    if not counts or counts[requested]:
        return requested
    logger.warning(
        '%s was requested, but no layer of the engine computes in it (%s)', requested, words
    )
    return counts.most_common(1)[0][0]


def _kind_of(inputs: Any) -> str | None:
    # A tensor's name may hold anything, also the name of a type.
    texts = [
        json.dumps({key: value for key, value in entry.items() if key != 'Name'})
        for entry in (inputs if isinstance(inputs, list) else ())
        if isinstance(entry, dict)
    ]
    for text in texts:
        for pattern, kind in _KINDS:
            if pattern.search(text):
                return kind
    return None
