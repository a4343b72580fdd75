"""From questions to rank lists: decoding, then scoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltrgr.corpus.store import PassageStore
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.errors import RetrieverError
from ltrgr.identifiers.functions import Function
from ltrgr.identifiers.keys import Keys
from ltrgr.identifiers.vocabulary import Ids, Vocabulary
from ltrgr.index.kinds import holds_index, open_index
from ltrgr.index.protocol import Index
from ltrgr.models.devices import expect_device
from ltrgr.models.pretrained import saved_tokenizer, trained_model
from ltrgr.models.threads import expect_threads, threads_for, torch_threads
from ltrgr.retrieval.description import Description
from ltrgr.retrieval.hits import Hit
from ltrgr.retrieval.key_generation import KeyGenerator, views_to_search
from ltrgr.retrieval.retrieved_batch import RetrievedBatch
from ltrgr.retrieval.unchanged import OF_INDEX, expect_unchanged
from ltrgr.scoring.perturbation import perturbation
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.scoring.search.passages import score_passages
from ltrgr.scoring.weights import key_weights

Ranges = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""CSR per question: offsets [B + 1], starts and ends of excluded corpus positions"""


class Retriever:
    """Searches a corpus by generating identifiers. A value: ``with_`` gives a changed copy.

    Args:
        model: an encoder-decoder in evaluation mode.
        vocabulary: the one that the index was built with.
        index_directory: contains the passages, and an index of any kind (``index.kinds``).
        threads: of torch, while the model computes; they are set back afterwards. None: 1 for a
            small model on a CPU, torch's own number for others.

    Raises:
        IndexFormatError, CorpusError: the index or the passages are missing or damaged.
        RetrieverError: model, vocabulary and index do not belong together, or threads is below 1.
        ValueError: the scoring names a view that the family does not have.
    """

    def __init__(
        self,
        *,
        model: Any,
        vocabulary: Vocabulary,
        index_directory: Path,
        scoring: ScoringSettings,
        decoding: DecodingSettings,
        threads: int | None = None,
    ) -> None:
        self._model, self.vocabulary = model, vocabulary
        self._threads = expect_threads(threads)
        self.directory: Path | None = None  # where it was opened from
        self.index_directory = Path(index_directory)
        self.index = open_index(self.index_directory)
        self.passages = PassageStore(self.index_directory)
        self._expect_one_corpus()
        self._view_weights, self._view_offsets = scoring.of_views(vocabulary.family.names)
        self._scoring, self._decoding = scoring, decoding
        self.views = views_to_search(vocabulary)
        self._ends = np.asarray([view.end for view in self.views])

    def _expect_one_corpus(self) -> None:
        """Model, tokenizer and index number the same tokens; the index numbers these passages."""
        tokens, indexed = len(self.vocabulary), self.index.vocabulary_size
        embedded = self.model.get_input_embeddings().num_embeddings
        if indexed != tokens or embedded < tokens:
            raise RetrieverError(
                f"model, tokenizer and index do not belong together: {embedded}, {tokens} and "
                f"{indexed} tokens. The index is {self.index_directory}; keep the folders of one "
                "run together, or build the model again with `ltrgr pretrain`"
            )
        if self.index.n_passages != len(self.passages):
            raise RetrieverError(
                f"the index has {self.index.n_passages} passages, {self.index_directory} has "
                f"{len(self.passages)}; build the index of these passages"
            )

    @classmethod
    def from_pretrained(
        cls,
        directory: str | Path,
        *,
        device: str | torch.device = "cpu",
        scoring: ScoringSettings | None = None,
        decoding: DecodingSettings | None = None,
        functions: Sequence[Function] = (),
        threads: int | None = None,
    ) -> Retriever:
        """Open the retriever that a training stage saved.

        Args:
            device: what the model computes on: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
            scoring, decoding, threads: settings that replace the saved ones.
            functions: functions of your own that the saved settings name (a scoring's
                ``transform``, a view's ``source`` or ``docids``). Nothing else is imported.

        Raises:
            RetrieverError: the directory, or the index that it names, is missing, damaged or not
                what the stage wrote; or there is no such device.
            ForeignFunctionError: the settings name a function that is not given.
        """
        directory, on = Path(directory), expect_device(device)
        expect_unchanged(directory)
        described = Description.read(
            directory, functions=functions, scoring=scoring, decoding=decoding
        )
        index = (directory / described.index).resolve()
        if not holds_index(index):
            raise RetrieverError(
                f"the index of this retriever is not at {index}; move both together, or build it "
                "again with `ltrgr index` and the settings of this model"
            )
        expect_unchanged(index, parts=OF_INDEX)
        opened = cls(
            model=trained_model(directory / "model").to(on).eval(),
            vocabulary=Vocabulary(saved_tokenizer(directory / "tokenizer"), described.family),
            index_directory=index,
            scoring=described.scoring,
            decoding=described.decoding,
            threads=described.threads if threads is None else threads,
        )
        opened.directory = directory
        return opened

    def save(self, directory: Path, *, index: str) -> None:
        """Write model, tokenizer and settings.

        Args:
            index: path to the index, relative to the final place of ``directory``.
        """
        self.model.save_pretrained(directory / "model")
        self.vocabulary.tokenizer.save_pretrained(directory / "tokenizer")
        Description(
            index=index,
            family=self.vocabulary.family,
            scoring=self.scoring,
            decoding=self.decoding,
            threads=self._threads,
        ).write(directory)

    def with_(
        self,
        *,
        model: Any = None,
        scoring: ScoringSettings | None = None,
        decoding: DecodingSettings | None = None,
        threads: int | None = None,
        index: Index | None = None,
    ) -> Retriever:
        """The same retriever with other parts; a model has to be in evaluation mode.

        Args:
            index: one over the same passages, in the same order, and the same token ids; of any
                kind, also your own (docs/how_to/own_index.md). None: the same one, not opened
                again.

        Raises:
            RetrieverError: model, vocabulary, index and passages do not belong together, or
                threads is below 1.
            ValueError: the scoring names a view that the family does not have.
        """
        other = copy(self)
        if model is not None:
            other._model = model
        if index is not None:
            other.index = index
        if model is not None or index is not None:
            other._expect_one_corpus()
        if scoring is not None:
            other._scoring = scoring
            of_views = scoring.of_views(self.vocabulary.family.names)
            other._view_weights, other._view_offsets = of_views
        if decoding is not None:
            other._decoding = decoding
        if threads is not None:
            other._threads = expect_threads(threads)
        return other

    @property
    def model(self) -> Any:
        """The network that generates identifiers."""
        return self._model

    @property
    def scoring(self) -> ScoringSettings:
        """How passages are scored."""
        return self._scoring

    @property
    def decoding(self) -> DecodingSettings:
        """How identifiers are generated."""
        return self._decoding

    @property
    def threads(self) -> int | None:
        """Threads of torch while the model computes; None: as many as torch has."""
        return threads_for(self.model) if self._threads is None else self._threads

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return next(self.model.parameters()).device

    @overload
    def search(self, texts: str, k: int = 10) -> list[Hit]: ...  # type: ignore[overload-overlap]

    @overload
    def search(self, texts: Sequence[str], k: int = 10) -> list[list[Hit]]: ...

    def search(self, texts: str | Sequence[str], k: int = 10) -> list[Hit] | list[list[Hit]]:
        """The ``k`` best passages of each question, each with the identifiers that found it.

        Args:
            texts: several questions, with a list of hits for each; or one, with its hits.

        Raises:
            RetrieverError: a question has no text, or k is below 1.
        """
        if isinstance(texts, str):
            return self.search([texts], k)[0]
        hits: list[list[Hit]] = []
        for batch in self.retrieve(texts, k=k):
            hits += batch.hits(self.passages, self.vocabulary)
        return hits

    def retrieve(
        self, texts: Sequence[str], *, k: int, excluded: Ranges | None = None
    ) -> Iterator[RetrievedBatch]:
        """Rank lists of ``k`` passages, a batch of questions at a time.

        Args:
            excluded: corpus positions per question; an occurrence that touches one does not count.

        Raises:
            RetrieverError: a question has no text, or k is below 1.
        """
        if k < 1:
            raise RetrieverError(f"k={k}: expected 1 or more passages per question")
        for number, text in enumerate(texts):
            if not text.strip():
                raise RetrieverError(f"question {number} is empty; give it some text")
        size = self.decoding.batch_size
        for first in range(0, len(texts), size):
            part = slice(first, min(first + size, len(texts)))
            keys = self.keys(texts[part])
            weights = self.weights(keys)
            lists = score_passages(
                keys,
                weights,
                self.index,
                settings=self.scoring,
                marker=self.vocabulary.is_marker,
                k=k,
                excluded=None if excluded is None else _part(excluded, part),
            )
            yield RetrievedBatch(part, keys, weights, lists)

    def keys(self, texts: Sequence[str]) -> Keys:
        """The keys of every searched view, and the extra keys that the scoring settings add."""
        with torch_threads(self.threads):
            return self._generator.keys(texts)

    def weights(self, keys: Keys) -> NDArray[np.float64]:
        """[n] weights w(n, q), view weight and perturbation included; 0: the key does not count."""
        weights = key_weights(
            keys.log_probability,
            keys.count,
            n_tokens=self.index.n_tokens,
            view_weight=self._view_weights[keys.view]
            * perturbation(keys.tokens, keys.token_offsets, settings=self.scoring),
            view_offset=self._view_offsets[keys.view],
            settings=self.scoring,
        )
        if self.scoring.partial_keys or not len(weights):
            return weights
        end = self._ends[keys.view]
        whole = (end < 0) | (keys.tokens[keys.token_offsets[1:] - 1] == end)
        return np.where(whole, weights, 0.0)

    def prompts(self, encoded: Sequence[Ids], view: str) -> tuple[Tensor, Tensor]:
        """Prompts [B, L] of a view for B encoded questions, and their mask."""
        return self._generator.prompts(encoded, view)

    @property
    def _generator(self) -> KeyGenerator:
        return KeyGenerator(
            model=self.model,
            vocabulary=self.vocabulary,
            index=self.index,
            views=self.views,
            scoring=self.scoring,
            decoding=self.decoding,
        )


def _part(ranges: Ranges, part: slice) -> Ranges:
    offsets, starts, ends = ranges
    first, last = offsets[part.start], offsets[part.stop]
    return offsets[part.start : part.stop + 1] - first, starts[first:last], ends[first:last]
