"""What is measured or compared: a model, and how it is run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from espnet_ros.config import PRECISIONS, RESIZES, RUNTIMES, RuntimeSettings
from espnet_ros.exceptions import ConfigError

FORM = 'MODEL@RUNTIME:PRECISION:RESIZE'
_WORDS = {
    **dict.fromkeys(RESIZES, 'resize'),
    **dict.fromkeys(PRECISIONS, 'precision'),
}
"""What each word behind the runtime sets, in any order."""


@dataclass(frozen=True)
class NamedContender:
    """
    A model, and what was said of how it is run.

    :param model: name or path of its model
    :param said: settings by name, in order; what was not said is as elsewhere
    """

    model: str
    said: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Return the settings that something was said of."""
        return frozenset(name for name, _ in self.said)

    def settings(self, common: RuntimeSettings) -> RuntimeSettings:
        """Return the settings, with ``common`` for what was not said."""
        return replace(common, **dict(self.said))  # type: ignore[arg-type]


def parse_contender(text: str) -> NamedContender:
    """
    Read ``MODEL@RUNTIME:PRECISION:RESIZE``, of which all but the model may be left out.

    :raises ConfigError: an unknown runtime or word, or two words for one setting
    """
    model, at, how = text.rpartition('@')
    if not at or '/' in how:  # an @ in the folders of a path
        return NamedContender(text)
    runtime, *words = how.split(':')
    names = [_WORDS.get(word) for word in words]
    if not model or runtime not in RUNTIMES or None in names or len(set(names)) != len(names):
        raise ConfigError(
            f'{text}: expected {FORM} with a runtime of {", ".join(RUNTIMES)}, a precision of '
            f'{", ".join(PRECISIONS)} and a resize of {" or ".join(RESIZES)}, found {how!r}'
        )
    said = zip(('runtime', *(name for name in names if name)), (runtime, *words), strict=True)
    return NamedContender(model, tuple((name, word) for name, word in said if word != 'auto'))
