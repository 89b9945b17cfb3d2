#!/usr/bin/env python3
"""Write the tables of settings in docs/ anew; a test fails where they are old."""

from __future__ import annotations

from pathlib import Path
import re

from espnet_ros import config
from espnet_ros.nodes.parameter_file import allowed
from espnet_ros.settings import list_settings, Setting

DOCS = Path(__file__).resolve().parents[1] / 'docs'
BLOCK = re.compile(r'(<!-- (parameters|arguments) of (\w+) -->\n).*?(<!-- end -->)', re.DOTALL)


def parameter_table(cls: type) -> str:
    """Return the settings of a class as a Markdown table."""
    lines = ['| parameter | default | type | meaning |', '|---|---|---|---|']
    lines += [_row(entry) for entry in list_settings(cls)]
    return '\n'.join(lines) + '\n'


def argument_table(cls: type) -> str:
    """Return the settings of a class, which are arguments of a launch, as a Markdown table."""
    lines = ['| argument | default | meaning |', '|---|---|---|']
    for entry in list_settings(cls):
        values = ', '.join(f'`{choice}`' for choice in entry.choices if choice)
        meaning = entry.description + (f' One of {values}.' if values else '')
        lines.append(f'| `{entry.name}` | {_shown(entry)} | {meaning} |')
    return '\n'.join(lines) + '\n'


TABLES = {'parameters': parameter_table, 'arguments': argument_table}


def _shown(entry: Setting) -> str:
    text = str(entry.default).lower() if isinstance(entry.default, bool) else str(entry.default)
    return f'`{text}`' if text else 'empty'


def _row(entry: Setting) -> str:
    default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
    shown = str(default).lower() if isinstance(default, bool) else repr(default)
    facts = [entry.type_name, allowed(entry), 'fixed at start' if entry.read_only else 'live']
    description = entry.description.replace('|', '\\|')
    return f'| `{entry.name}` | `{shown}` | {"; ".join(filter(None, facts))} | {description} |'


def updated(text: str) -> str:
    """Return a page with its tables written anew."""
    return BLOCK.sub(lambda m: f'{m[1]}\n{TABLES[m[2]](getattr(config, m[3]))}{m[4]}', text)


def main() -> None:
    """Update every page."""
    for page in DOCS.glob('*.md'):
        page.write_text(updated(page.read_text(encoding='utf-8')), encoding='utf-8')


if __name__ == '__main__':
    main()
