"""The pages and files of the repository beside ``docs/``, and the links between all of them.

Links are written for the repository (``../experiments/losses``). On the site the same page lies
elsewhere: ``docs/method.md`` is ``method.md``, the README is the front page, and all other files
keep their path.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

FRONT = "README.md"
"""the file that is the front page of the site, ``index.md``"""

OTHERS = ("CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "experiments", "benchmarks")
"""files and folders that the site takes over"""

KINDS = {".md", ".cff", "", ".json", ".png", ".csv", ".tex", ".yaml"}
"""suffixes of what it takes from the folders"""

LINK = re.compile(r"(?ms)^( *)(```|~~~).*?^\1\2|`[^`\n]*`|(?<=\]\()([^)\s]+)(?=\))")
"""a block of code, code in a line, or the target of a link, which is the third group"""


def site_path(path: str) -> str:
    """The place on the site of a path from the root of the repository."""
    if path == FRONT:
        return "index.md"
    return path.removeprefix("docs/")


def repository_path(path: str) -> str:
    """The path from the root of the repository of a page of the site; undoes ``site_path``."""
    if path == "index.md":
        return FRONT
    return path if path.split("/", maxsplit=1)[0] in OTHERS else f"docs/{path}"


def other_files(root: Path) -> list[str]:
    """The files that the site takes over from outside ``docs/``, from the root of ``root``."""
    found = [root / FRONT]
    for name in OTHERS:
        place = root / name
        found += sorted(place.rglob("*")) if place.is_dir() else [place]
    kept = (path for path in found if path.is_file() and path.suffix in KINDS)
    return [path.relative_to(root).as_posix() for path in kept]


def relinked(markdown: str, *, page: str, root: Path, base: str | None = None) -> str:
    """``markdown`` with the links of the repository as links of the site.

    Args:
        page: where it lies on the site.
        root: of the repository; a link to a folder leads to its README.
        base: folder that the links are relative to, from ``root``; the page's own one unless given.
    """
    here = posixpath.dirname(repository_path(page)) if base is None else base

    def link(found: re.Match[str]) -> str:
        target = found[3]
        if target is None or re.match(r"[a-z]+:|#|/", target):
            return found[0]
        path, mark, anchor = target.partition("#")
        whole = posixpath.normpath(posixpath.join(here, path))
        if (root / whole).is_dir():
            whole = posixpath.join(whole, FRONT)
        return posixpath.relpath(site_path(whole), posixpath.dirname(page)) + mark + anchor

    return LINK.sub(link, markdown)
