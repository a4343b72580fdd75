"""The documentation: the site builds, its reference is whole, its commands compose."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from configuration_pages import configuration_pages, marked_up
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from option_file import OptionFile, Setting
from repository import relinked, repository_path, site_path

from ltrgr.cli.main import COMMANDS
from ltrgr.cli.questions import search_words
from ltrgr.cli.renamed import RENAMED
from ltrgr.cli.resolvers import register_resolvers

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *ROOT.glob("experiments/*/*.md")]
BASH = re.compile(r"```bash\n(.*?)```", re.DOTALL)
FLAGS = {"-m", "--cfg", "job", "--help"}


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Every link, anchor and Python name that a page refers to is there."""
    for package in ("mkdocs", "material", "mkdocstrings_handlers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed; `make docs` installs it and builds the site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    settings = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    front = (tmp_path / "index.html").read_text()
    assert 'src="method.svg"' in front and 'href="experiments/main_table/index.html"' in front
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text()
        )
        assert loaded == [], f"{page.name} loads {loaded[0]}"


def test_the_reference_names_every_file_and_key_of_conf() -> None:
    pages = "\n".join(configuration_pages(CONF).values())
    for path in CONF.rglob("*.yaml"):
        relative = path.relative_to(CONF)
        assert f'"conf/{relative.as_posix()}"' in pages
        header = re.match(r"# @package (\S+)", path.read_text())
        package = header[1] if header else ".".join(relative.parts[:-1])
        package = package.replace("_global_", "")
        for key in _keys(yaml.safe_load(path.read_text()) or {}, package):
            assert any(f"| `{key[:n]}` |" in pages for n in _ends(key)), f"{relative}: {key}"


def test_an_option_file_is_read_with_its_comments() -> None:
    file = OptionFile(
        Path("loss/own.yaml"),
        "# What it is for\n# and why\ndefaults:\n  - ltrgr\n  - _self_\n\n"
        "# above the key\nmargin: 2.0   # beside it,\n              # and below\n"
        "#no key\n\nterms:\n  first: {_target_: a.b, c: [1, 2]}\n  text: 'a # sign'\n  rows:\n"
        "    - 1   # of the list\n    - 2\n",
    )
    assert file.introduction == ["What it is for", "and why"]
    assert file.defaults == ["ltrgr"]
    assert file.settings == [
        Setting("loss.margin", "2.0", "above the key beside it, and below"),
        Setting("loss.terms.first", "{_target_: a.b, c: [1, 2]}", ""),
        Setting("loss.terms.text", "'a # sign'", ""),
        Setting("loss.terms.rows", "a list of 2: see the file", ""),
    ]


def test_a_comment_keeps_its_signs_and_gains_links() -> None:
    assert marked_up("2 * L_gen, see docs/method.md (2306.15222) or `x|y*`") == (
        r"2 \* L_gen, see [docs/method.md](docs/method.md) "
        r"([2306.15222](https://arxiv.org/abs/2306.15222)) or `x|y*`"
    )


def test_links_of_the_repository_become_links_of_the_site() -> None:
    text = (
        "[a](../experiments/losses#x) [b](speed.md) `[c](d.md)` ![e](../LICENSE)\n"
        "```\n[f](../g.md)\n```\n[h](https://a.b/c) [i](#j)\n"
    )
    assert relinked(text, page="method.md", root=ROOT) == (
        "[a](experiments/losses/README.md#x) [b](speed.md) `[c](d.md)` ![e](LICENSE)\n"
        "```\n[f](../g.md)\n```\n[h](https://a.b/c) [i](#j)\n"
    )
    assert relinked("[a](docs/how_to/sweeps.md)", page="index.md", root=ROOT) == (
        "[a](how_to/sweeps.md)"
    )
    back = relinked("[a](../../docs/method.md)", page="experiments/losses/README.md", root=ROOT)
    assert back == "[a](../../method.md)"
    for path in ("README.md", "docs/method.md", "experiments/losses/README.md", "CHANGELOG.md"):
        assert repository_path(site_path(path)) == path


def test_the_papers_page_names_every_option_and_no_other() -> None:
    page = (ROOT / "docs" / "papers.md").read_text()
    named = set(re.findall(r"\b(identifiers|scoring|loss|model)=([a-z][\w-]*)", page))
    there = {
        (group, path.stem)
        for group in ("identifiers", "scoring", "loss", "model")
        for path in (CONF / group).glob("*.yaml")
    }
    assert named == there


def test_the_python_reference_has_every_loss() -> None:
    page = (ROOT / "docs" / "api" / "losses.md").read_text()
    modules = {path.stem for path in (ROOT / "src/ltrgr/losses").glob("*.py")} - {"__init__"}
    assert {line.rpartition(".")[2] for line in page.splitlines() if line[:3] == ":::"} == modules


def test_every_command_of_the_pages_composes() -> None:
    """Commands and settings that a page shows exist; those with files of the reader's are left to
    ``test_readme``."""
    register_resolvers()
    shown = [
        (f"{page}: ltrgr {shlex.join(command)}", command[0], _overrides(command))
        for page in PAGES
        for command in _commands(page.read_text())
        if "--config-dir" not in command and command[0] not in {"COMMAND", "--shell-completion"}
    ]
    assert len(shown) > 50
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for where, command, overrides in shown:
            assert command in COMMANDS, where
            try:
                compose(command, overrides=overrides)
            except Exception as error:
                pytest.fail(f"{where}: {error}")


def _commands(markdown: str) -> Iterator[list[str]]:
    """The words after ``ltrgr`` of each such command in the blocks of shell commands."""
    for block in BASH.findall(markdown):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if "ltrgr" in words:
                yield words[words.index("ltrgr") + 1 :]


def _overrides(command: list[str]) -> list[str]:
    """What Hydra would see of it: in a sweep the first job, and a launcher that is installed."""
    words = [word.replace("<fingerprint>", "abc") for word in command[1:] if word not in FLAGS]
    if command[0] == "search":
        words = search_words(words, conf=CONF).arguments
    words = [word for word in words if not word.startswith(("hydra/launcher=submitit", "hydra.l"))]
    first = []
    for parsed, word in zip(OverridesParser.create().parse_overrides(words), words, strict=True):
        swept = parsed.is_sweep_override() and "-m" in command
        value = next(parsed.sweep_string_iterator()) if swept else None
        first.append(word if value is None else f"{word.partition('=')[0]}={value}")
    return first


def _keys(node: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in node.items():
        if str(name).startswith("_") or name == "defaults":
            continue
        key = f"{prefix}.{name}" if prefix else str(name)
        if key == "hydra.help":
            continue
        if isinstance(value, dict) and value:
            yield from _keys(value, key)
        else:
            yield key


def _ends(key: str) -> list[int]:
    """Where a name in the key ends: a mapping on one line is one entry of the reference."""
    return [found.start() for found in re.finditer(r"\.|$", key)]


def test_no_page_has_the_old_name_of_a_setting() -> None:
    """In code spans; words that still name something else are left out."""
    still_used = {"steps", "learned", "learning_rate", "weight_decay"}
    old = {key.rpartition(".")[2] for key in RENAMED} - still_used
    found = [
        (str(page.relative_to(ROOT)), word)
        for page in PAGES
        for word in re.findall(r"`([a-z_]+)(?:=[^`]*)?`", page.read_text())
        if word in old
    ]
    assert found == []
