"""The kinds of index, and the folder of an index artefact that holds each."""

from __future__ import annotations

from pathlib import Path

from ltrgr.index.protocol import Index
from ltrgr.index.shards import Shards
from ltrgr.index.trie import IdentifierTrie
from ltrgr.json_file import state_of

FOLDERS = {"fm": "fm_index", "trie": "trie"}
"""``index.kind`` -> folder"""


def holds_index(directory: Path) -> bool:
    """Whether the files of an index of some kind are in ``directory``.

    Raises:
        UnreadableFileError: the system does not let us look.
    """
    return any(state_of(directory / folder) is not None for folder in FOLDERS.values())


def open_index(directory: Path) -> Index:
    """Map the index in ``directory`` into memory, of whatever kind it is.

    Raises:
        IndexFormatError: missing, unfinished, foreign, of another version, or damaged.
    """
    if (directory / FOLDERS["trie"]).is_dir():
        return IdentifierTrie.open(directory / FOLDERS["trie"])
    return Shards.open(directory / FOLDERS["fm"])
