"""From text to token ids, for all stages: tokenizer training, marker tokens, prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from ltrgr.csr import pad_rows, row_mask
from ltrgr.identifiers.views import Family

Ids = NDArray[np.int32]
Symbols = Annotated[int, Ge(260), Le(1_000_000)]
"""of a byte-level tokenizer: 256 bytes and 4 special tokens at least"""


def train_byte_level_bpe(*, texts: Iterable[str], size: Symbols) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of ``size`` symbols, trained on ``texts`` (Sennrich et al. 2016).

    Special tokens are BART's, so that any BART-shaped model can use it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((" " + text for text in texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
    )


class Vocabulary:
    """A tokenizer that has a family's markers and builds its prompts.

    A space is put before each text, so that a word has the same ids in a title, a body and a
    question. The name of a marker inside raw text is encoded as plain text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, family: Family) -> None:
        self.tokenizer = tokenizer
        self.family = family
        tokenizer.add_special_tokens(
            {"additional_special_tokens": family.markers + family.symbols},
            replace_extra_special_tokens=False,
        )
        self._prefix, self._suffix = _frame(tokenizer)
        self.symbols: Ids = np.asarray([self.token_id(s) for s in family.symbols], dtype=np.int32)
        """[A] token id of each symbol of docid codes"""
        self._number = {int(token): str(number) for number, token in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.tokenizer)

    def token_id(self, marker: str) -> int:
        """The token id of a marker or docid symbol."""
        return int(self.tokenizer.convert_tokens_to_ids(marker))

    @property
    def pad_id(self) -> int:
        """The id of padding."""
        return int(self.tokenizer.pad_token_id)

    @cached_property
    def is_marker(self) -> NDArray[np.bool_]:
        """[V] True for the family's marker tokens."""
        flags = np.zeros(len(self), dtype=np.bool_)
        flags[[self.token_id(marker) for marker in self.family.markers]] = True
        return flags

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Token ids of each text, without special tokens."""
        if not texts:
            return []
        backend = self.tokenizer.backend_tokenizer
        # Every other call of the tokenizer resets these three settings.
        backend.encode_special_tokens = True
        backend.no_truncation()
        backend.no_padding()
        encodings = backend.encode_batch(
            [" " + " ".join(text.split()) for text in texts], add_special_tokens=False
        )
        return [np.asarray(encoding.ids, dtype=np.int32) for encoding in encodings]

    def prompt_frame(self, view: str) -> tuple[Ids, Ids]:
        """The ids before and after the question in the prompt of ``view``."""
        marker = self.token_id(self.family.views[view].prompt)
        suffix = [marker, *self._suffix]
        return np.asarray(self._prefix, dtype=np.int32), np.asarray(suffix, dtype=np.int32)

    def prompt(self, question: Ids, view: str, *, longest: int) -> Ids:
        """The encoder input [L] of ``view``: the question's first ``longest`` ids, the marker."""
        before, after = self.prompt_frame(view)
        return np.concatenate([before, question[:longest], after])

    def pad(self, rows: Sequence[Ids]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids [n, L] padded to the longest row, and their mask [n, L]."""
        lengths = np.asarray([len(row) for row in rows], dtype=np.int64)
        ids = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        return pad_rows(ids, lengths, fill=self.pad_id), row_mask(lengths).astype(np.int64)

    def text(self, ids: Sequence[int] | Ids) -> str:
        """The text of a key, for display only (law 2 in docs/method.md).

        A docid code is written as its numbers, ``2-0``.
        """
        code = [self._number[int(i)] for i in ids if int(i) in self._number]
        if code:
            return "-".join(code)
        return str(self.tokenizer.decode([int(i) for i in ids], skip_special_tokens=True)).strip()


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The ids of the special tokens that this tokenizer puts before and after a text."""
    plain = tokenizer(" a", add_special_tokens=False)["input_ids"]
    framed = tokenizer(" a")["input_ids"]
    for start in range(len(framed) - len(plain) + 1):
        if framed[start : start + len(plain)] == plain:
            return list(framed[:start]), list(framed[start + len(plain) :])
    raise ValueError("this tokenizer changes a text when it adds special tokens; use another one")
