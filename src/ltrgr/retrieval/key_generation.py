"""From questions to keys: prompts, constrained beam search in every view, extra keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ltrgr.decoding.beam_search import Found, SearchedView, constrained_beam_search
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.identifiers.join import distinct, merge
from ltrgr.identifiers.keys import Keys
from ltrgr.identifiers.vocabulary import Ids, Vocabulary
from ltrgr.index.protocol import Index
from ltrgr.retrieval.extra_keys import question_ngrams, unigrams
from ltrgr.scoring.scoring_settings import ScoringSettings


def views_to_search(vocabulary: Vocabulary) -> list[SearchedView]:
    """Every view of the family in token ids, in the order of the family."""
    return [
        SearchedView(
            number=number,
            begin=-1 if view.begin is None else vocabulary.token_id(view.begin),
            end=-1 if view.end is None else vocabulary.token_id(view.end),
            max_new_tokens=view.max_new_tokens,
        )
        for number, view in enumerate(vocabulary.family.views.values())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGenerator:
    """Generates the keys of questions in every searched view of the family.

    ``scoring`` says which extra keys are added: single tokens, n-grams of the question.
    """

    model: Any
    vocabulary: Vocabulary
    index: Index
    views: Sequence[SearchedView]
    scoring: ScoringSettings
    decoding: DecodingSettings

    def keys(self, texts: Sequence[str]) -> Keys:
        """The keys of B questions, one question after the other."""
        encoded = self.vocabulary.encode(texts)
        parts, extra = [], []
        for (name, described), view in zip(
            self.vocabulary.family.views.items(), self.views, strict=True
        ):
            if not described.searched:
                continue
            ids, mask = self.prompts(encoded, name)
            found = constrained_beam_search(
                self.model,
                prompt_ids=ids,
                prompt_mask=mask,
                view=view,
                index=self.index,
                is_marker=self.vocabulary.is_marker,
                num_beams=self.decoding.num_beams,
            )
            parts.append(found.keys)
            if view.begin < 0:
                extra += self._extra_keys(texts, ids, mask, view, found)
        merged = merge([*parts, *extra])
        return distinct(merged) if extra else merged

    def prompts(self, encoded: Sequence[Ids], view: str) -> tuple[Tensor, Tensor]:
        """Prompts [B, L] of a view for B questions, and their mask, on the model's device."""
        longest = self.decoding.max_question_length
        ids, mask = self.vocabulary.pad(
            [self.vocabulary.prompt(question, view, longest=longest) for question in encoded]
        )
        device = next(self.model.parameters()).device
        return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)

    def _extra_keys(
        self, texts: Sequence[str], ids: Tensor, mask: Tensor, view: SearchedView, found: Found
    ) -> list[Keys]:
        keys = []
        if self.scoring.question_ngrams:
            keys.append(
                question_ngrams(
                    texts,
                    model=self.model,
                    prompt_ids=ids,
                    prompt_mask=mask,
                    view=view.number,
                    vocabulary=self.vocabulary,
                    index=self.index,
                    longest=self.scoring.question_ngrams,
                )
            )
        if self.scoring.unigrams:
            _, offsets = self.scoring.of_views(self.vocabulary.family.names)
            keys.append(
                unigrams(
                    found.first_step,
                    view=view.number,
                    index=self.index,
                    is_marker=self.vocabulary.is_marker,
                    scoring=self.scoring,
                    view_offset=float(offsets[view.number]),
                )
            )
        return keys
