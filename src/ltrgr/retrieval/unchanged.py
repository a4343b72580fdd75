"""Whether the folder of a retriever is still what the training stage wrote."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ltrgr.errors import RetrieverError
from ltrgr.finished import DONE, changed_files, read_done
from ltrgr.index.verified import is_verified, remember
from ltrgr.json_file import state_of
from ltrgr.models.pretrained import SAVED_AGAIN

OF_MODEL = ("retriever.json", "model/", "tokenizer/")
OF_INDEX = ("passages.npy", "passages.jsonl")
"""what a search depends on; the index itself has checksums of its own"""


def expect_unchanged(directory: Path, *, parts: Collection[str] = OF_MODEL) -> None:
    """Compare these parts with the checksums in ``DONE.json``, if the folder has one.

    A flipped bit of a weight would change what is found, without a word.

    A large model is read once in each state (inode, size, times); this machine's cache keeps that.

    Raises:
        RetrieverError: a file is missing or not what was written; names it.
        DamagedFileError, UnreadableFileError: ``DONE.json`` is.
    """
    if state_of(directory / DONE) is None:
        return
    done = read_done(directory, cure=SAVED_AGAIN)
    paths = [directory / DONE, *(p for p in sorted(directory.rglob("*")) if p.is_file())]
    states = [path.stat() for path in paths]
    if is_verified(states):
        return
    for name, why in changed_files(directory, done, among=parts):
        raise RetrieverError(f"{directory / name} is not what was written ({why}); {SAVED_AGAIN}")
    remember(states)
