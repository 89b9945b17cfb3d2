"""Names that a version of the bindings has; everything else is an AttributeError."""

from __future__ import annotations

from enum import IntEnum
import json
from pathlib import Path
from typing import Any

API: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / 'api.json').read_text(encoding='utf-8')
)


class Bound:
    """An object of the bindings: no attribute but those of its version, none can be added."""

    _names: frozenset[str] = frozenset()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith('_') and name not in object.__getattribute__(self, '_names'):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith('_') and name not in self._names:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__setattr__(self, name, value)


def bind(behaviour: type, version: str) -> type:
    """Return a class of the bindings of that version; its name is the behaviour's."""
    name = behaviour.__name__
    return type(name, (behaviour,), {'_names': frozenset(API[version][name])})


def enum_of(name: str, version: str) -> type[IntEnum]:
    """Return an enum with the members of that version, numbered anew in each (section 1.3)."""
    members = API[version].get(name, [])
    shift = int(version.split('.', maxsplit=1)[0]) % 3
    return IntEnum(name, {member: index + shift for index, member in enumerate(members)})
