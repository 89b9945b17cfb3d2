"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path
import re
import runpy

import pytest

from .conftest import ROOT

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
LINK = re.compile(r'\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)')


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_parameter_tables_are_those_of_the_settings() -> None:
    """Mend it with scripts/update_docs.py."""
    script = runpy.run_path(str(ROOT / 'scripts' / 'update_docs.py'))
    pages = {page: page.read_text() for page in PAGES}
    assert any(script['BLOCK'].search(text) for text in pages.values())
    assert [page for page, text in pages.items() if script['updated'](text) != text] == []


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / 'Makefile').read_text()
    for target in re.findall(r'^make (\w+)', (ROOT / 'README.md').read_text(), re.MULTILINE):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target
