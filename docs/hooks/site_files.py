"""MkDocs hook: adds to the pages in ``docs/`` the configuration reference, which it writes from
``conf/``, and the pages of the repository that lie elsewhere (README, experiments, benchmarks)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configuration_pages import configuration_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from repository import other_files, relinked, site_path

ROOT = Path(__file__).parents[2]
REFERENCE = "configuration"
"""folder of the configuration reference"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each ``folder/*`` of the navigation by the pages that are written there."""
    config.nav = _expanded(config.nav)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what lies outside ``docs/`` or nowhere."""
    for name, markdown in configuration_pages(ROOT / "conf").items():
        path = f"{REFERENCE}/{name}.md"
        files.append(File.generated(config, path, content=markdown))
    for path in other_files(ROOT):
        source = str(ROOT / path)
        files.append(File.generated(config, site_path(path), abs_src_path=source))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Turn links of the repository into links of the site."""
    written = page.file.abs_src_path is None
    return relinked(markdown, page=page.file.src_uri, root=ROOT, base="" if written else None)


def _expanded(nav: Any) -> Any:
    if isinstance(nav, dict):
        return {title: _expanded(entry) for title, entry in nav.items()}
    if not isinstance(nav, list):
        return nav
    entries: list[Any] = []
    for entry in nav:
        entries += _written(entry) if str(entry).endswith("/*") else [_expanded(entry)]
    return entries


def _written(entry: str) -> list[str]:
    folder = entry.removesuffix("/*")
    if folder == REFERENCE:
        return [f"{REFERENCE}/{name}.md" for name in configuration_pages(ROOT / "conf")]
    return [
        path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob(f"{folder}/*/README.md"))
    ]
