#!/usr/bin/env python3
"""Write the parameter tables of docs/ anew from the settings; a test fails where they are old."""

from __future__ import annotations

from pathlib import Path
import re

from espnet_ros import config
from espnet_ros.nodes.parameter_file import allowed
from espnet_ros.settings import list_settings, Setting

DOCS = Path(__file__).resolve().parents[1] / 'docs'
BLOCK = re.compile(r'(<!-- parameters of (\w+) -->\n).*?(<!-- end -->)', re.DOTALL)


def parameter_table(cls: type) -> str:
    """Return the settings of a class as a Markdown table."""
    lines = ['| parameter | default | type | meaning |', '|---|---|---|---|']
    lines += [_row(entry) for entry in list_settings(cls)]
    return '\n'.join(lines) + '\n'


def _row(entry: Setting) -> str:
    default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
    shown = str(default).lower() if isinstance(default, bool) else repr(default)
    facts = [entry.type_name, allowed(entry), 'fixed at start' if entry.read_only else 'live']
    description = entry.description.replace('|', '\\|')
    return f'| `{entry.name}` | `{shown}` | {"; ".join(filter(None, facts))} | {description} |'


def updated(text: str) -> str:
    """Return a page with its tables written anew."""
    return BLOCK.sub(lambda m: f'{m[1]}\n{parameter_table(getattr(config, m[2]))}{m[3]}', text)


def main() -> None:
    """Update every page."""
    for page in DOCS.glob('*.md'):
        page.write_text(updated(page.read_text(encoding='utf-8')), encoding='utf-8')


if __name__ == '__main__':
    main()
