"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path
import re
import runpy

import pytest

from .conftest import ROOT

PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    *sorted((ROOT / 'docs').rglob('*.md')),
]
LINK = re.compile(r'\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)')


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_link_to_another_site_is_encrypted_and_no_placeholder(page: Path) -> None:
    links = re.findall(r'\]\((http[^)\s]+)\)', page.read_text())
    assert [
        link
        for link in links
        if not re.match(r'https://[\w.-]+\.[a-z]+(/|$)', link) or 'example.' in link
    ] == []


def test_parameter_tables_are_those_of_the_settings() -> None:
    """Fix it with scripts/update_docs.py."""
    script = runpy.run_path(str(ROOT / 'scripts' / 'update_docs.py'))
    pages = {page: page.read_text() for page in PAGES}
    assert any(script['BLOCK'].search(text) for text in pages.values())
    assert [page for page, text in pages.items() if script['updated'](text) != text] == []


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / 'Makefile').read_text()
    for target in re.findall(r'^make (\w+)', (ROOT / 'README.md').read_text(), re.MULTILINE):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


def test_every_module_and_file_that_a_page_names_exists() -> None:
    """Dotted names are modules or what they define, paths begin at the repository."""
    dotted = re.compile(r'\bespnet_ros(?:\.[a-z_0-9]+)+')
    suffixes = 'onnx|py|txt|xml|yaml'
    paths = re.compile(
        rf'(?<![\w./-])(?:espnet_ros|scripts|test|config)/[a-z_0-9./]+\.(?:{suffixes})\b'
    )
    missing, count = [], 0
    for page in PAGES:
        text = page.read_text()
        for name in dotted.findall(text):
            count += 1
            module = ROOT.joinpath(*name.split('.'))
            if not (module.with_suffix('.py').exists() or module.is_dir()):
                missing.append(f'{page.name}: {name}')
        for path in paths.findall(text):
            count += 1
            if not in_tree(path).exists():
                missing.append(f'{page.name}: {path}')
    assert count > 20
    assert missing == []


ARCHITECTURE = ROOT / 'docs' / 'architecture.md'
TOKEN = re.compile(r'`([^`\s]+)`')
NAMED = re.compile(r'`([\w./]+\.py)`\s+\(((?:`\w+`(?:,\s+)?)+)\)')


def in_tree(path: str) -> Path:
    """Return where a path of the page lies: in the package, else in the repository."""
    inside = ROOT / 'espnet_ros' / path
    return inside if inside.exists() else ROOT / path


def paths_of_the_architecture() -> list[str]:
    """Return what the page names with a folder or a suffix; capitals stand for new names."""
    tokens = TOKEN.findall(ARCHITECTURE.read_text())
    is_path = re.compile(r'(?!~|/)[\w./]*(/|\.(py|yaml|md|toml|importlinter))\w*$|[\w/]+/[\w./]+$')
    # As each command has them.
    each = ('options.py', 'command.py', 'node.py', '__init__.py')
    return [t for t in tokens if is_path.match(t) and 'NAME' not in t and t not in each]


def test_every_module_and_folder_of_the_architecture_exists() -> None:
    paths = paths_of_the_architecture()
    assert len(paths) > 100
    assert [path for path in paths if not in_tree(path).exists()] == []


def test_every_name_in_a_module_of_the_architecture_is_defined_there() -> None:
    pairs = [
        (path, name)
        for path, names in NAMED.findall(ARCHITECTURE.read_text())
        for name in re.findall(r'\w+', names)
    ]
    assert len(pairs) > 40
    missing = [
        f'{path}: {name}'
        for path, name in pairs
        if not re.search(
            rf'^\s*(class|def) {name}\b|^{name}\b.*=|^    {name} = ',
            in_tree(path).read_text(),
            re.MULTILINE,
        )
    ]
    assert missing == []


def test_the_architecture_names_every_folder_of_the_package() -> None:
    package = ROOT / 'espnet_ros'
    homes = [package, package / 'nodes', package / 'cli']
    folders = [
        str(path.relative_to(package)) + '/'
        for home in homes
        for path in home.iterdir()
        if path.is_dir() and path.name not in ('__pycache__', 'msg')
    ]
    text = ARCHITECTURE.read_text()
    assert [folder for folder in folders if f'`{folder}`' not in text] == []


def test_the_notice_names_the_origin_of_every_model_that_ships() -> None:
    notice = (ROOT / 'NOTICE').read_text()
    shipped = [path.name for path in (ROOT / 'espnet_ros' / 'artifacts').glob('*.onnx')]
    assert shipped
    assert [name for name in shipped if f'espnet_ros/artifacts/{name}' not in notice] == []
