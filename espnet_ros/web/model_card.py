"""What the page tells of the model."""

from __future__ import annotations

from espnet_ros.segmenter import Segmenter


def model_card(segmenter: Segmenter) -> dict[str, str]:
    """Return what runs, how, and where it comes from, by key; what is not known is left out."""
    runtime, info = segmenter.runtime, segmenter.runtime.model.info
    height, width = info.input_size
    facts = {
        'model': info.name,
        'architecture': info.architecture,
        'trained_on': info.training_set,
        'accuracy': info.accuracy,
        'licence': info.license,
        'label_set': f'{segmenter.label_set.name}, {len(segmenter.label_set.classes)} classes',
        'runtime': runtime.name,
        'device': runtime.device,
        'precision': runtime.precision,
        'network_input': f'{width}x{height}',
        **runtime.facts,
    }
    return {key: value for key, value in facts.items() if value}
