"""The main road: corpus -> index -> stage 1 -> mined lists -> stage 2 -> measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ltrgr.corpus.records import Corpus
from ltrgr.identifiers.views import Family
from ltrgr.pipeline.artefact import Artefact, ArtefactError
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.evaluating import Evaluation, evaluate_bm25, evaluate_retriever
from ltrgr.pipeline.indexing import build_index, index_artefact
from ltrgr.pipeline.mining import mine, mine_artefact
from ltrgr.pipeline.pretraining import pretrain, pretrain_artefact
from ltrgr.pipeline.ranking import rank, rank_artefact
from ltrgr.pipeline.settings import (
    Backbone,
    Compute,
    Indexing,
    Mining,
    Pretraining,
    Ranking,
    Tracking,
)
from ltrgr.retrieval.retriever import Retriever
from ltrgr.retrieval.settings import Decoding
from ltrgr.scoring.settings import Scoring


@dataclass(frozen=True, kw_only=True)
class Road:
    """Every stage of one configuration; a stage builds what it needs and finds what is done.

    Two roads that differ only in stage-2 settings share index, stage 1 and mined lists.
    """

    root: Path
    corpus: Corpus
    family: Family
    backbone: Backbone
    scoring: Scoring
    decoding: Decoding
    indexing: Indexing
    pretraining: Pretraining
    mining: Mining
    ranking: Ranking
    evaluation: Evaluation
    compute: Compute
    tracking: Tracking
    name: str = "LTRGR"

    @cached_property
    def indexed(self) -> Artefact:
        """The index."""
        return index_artefact(
            root=self.root, corpus=self.corpus, family=self.family, backbone=self.backbone
        )

    @cached_property
    def pretrained(self) -> Artefact:
        """The stage-1 model."""
        return pretrain_artefact(
            root=self.root,
            index=self.indexed,
            corpus=self.corpus,
            backbone=self.backbone,
            settings=self.pretraining,
        )

    @cached_property
    def mined(self) -> Artefact:
        """The rank lists of training questions."""
        return mine_artefact(
            root=self.root,
            pretrained=self.pretrained,
            corpus=self.corpus,
            search=_described(self.scoring, self.decoding),
            settings=self.mining,
        )

    @cached_property
    def ranked(self) -> Artefact:
        """The stage-2 model."""
        return rank_artefact(
            root=self.root,
            mined=self.mined,
            pretraining=self.pretraining,
            settings=self.ranking,
        )

    def index(self) -> Path:
        """Build the index unless it is there."""
        return self.indexed.build(
            lambda directory: build_index(
                directory,
                corpus=self.corpus,
                family=self.family,
                backbone=self.backbone,
                settings=self.indexing,
                compute=self.compute,
            )
        )

    def pretrain(self) -> Path:
        """Train stage 1 unless it is done."""
        if self.pretrained.is_done():
            return self.pretrained.open()
        index = self.index()
        return self.pretrained.build(
            lambda directory: pretrain(
                directory,
                artefact=self.pretrained,
                index=index,
                corpus=self.corpus,
                family=self.family,
                backbone=self.backbone,
                settings=self.pretraining,
                scoring=self.scoring,
                decoding=self.decoding,
                compute=self.compute,
                tracking=self.tracking,
            ),
            seed=self.pretraining.seed,
        )

    def mine(self) -> Path:
        """Mine rank lists unless they are there."""
        if self.mined.is_done():
            return self.mined.open()
        model = self.pretrain()
        return self.mined.build(
            lambda directory: mine(
                directory,
                retriever=self.open(model),
                corpus=self.corpus,
                settings=self.mining,
                compute=self.compute,
            ),
            seed=self.mining.seed,
        )

    def rank(self) -> Path:
        """Train stage 2 unless it is done."""
        if self.ranked.is_done():
            return self.ranked.open()
        mined = self.mine()
        return self.ranked.build(
            lambda directory: rank(
                directory,
                artefact=self.ranked,
                retriever=self.open(self.pretrain()),
                mined=mined,
                corpus=self.corpus,
                pretraining=self.pretraining,
                settings=self.ranking,
                compute=self.compute,
                tracking=self.tracking,
                name=self.name,
            ),
            seed=self.ranking.seed,
        )

    def evaluate(self, system: str) -> Path:
        """Measure ``bm25``, the model of stage 1 (``pretrain``) or of stage 2 (``rank``)."""
        artefact = self._evaluated(system)
        if artefact.is_done():
            return artefact.open()
        if system == "bm25":
            return artefact.build(
                lambda directory: evaluate_bm25(
                    directory, corpus=self.corpus, settings=self.evaluation, compute=self.compute
                )
            )
        directory = self.pretrain() if system == "pretrain" else self.rank()
        return artefact.build(
            lambda partial: evaluate_retriever(
                partial,
                retriever=self._searcher(directory),
                corpus=self.corpus,
                settings=self.evaluation,
                compute=self.compute,
                name=self.name,
            )
        )

    def measured(self, system: str) -> Path | None:
        """What ``evaluate`` would give, if that is done."""
        artefact = self._evaluated(system)
        return artefact.open() if artefact.is_done() else None

    def open(self, model: Path) -> Retriever:
        """A trained model with this road's search settings."""
        return Retriever.from_pretrained(
            model, device=self.compute.device, scoring=self.scoring, decoding=self.decoding
        )

    def _searcher(self, model: Path) -> Retriever:
        """The same with what ``evaluation`` sets anew."""
        scoring, decoding = self._searched
        return Retriever.from_pretrained(
            model, device=self.compute.device, scoring=scoring, decoding=decoding
        )

    @property
    def _searched(self) -> tuple[Scoring, Decoding]:
        anew = self.evaluation
        decoding = replace(self.decoding, beams=anew.beams or self.decoding.beams)
        return anew.scoring or self.scoring, decoding

    def _evaluated(self, system: str) -> Artefact:
        models = {"bm25": None, "pretrain": self.pretrained, "rank": self.ranked}
        if system not in models:
            raise ArtefactError(f"system={system!r}: expected one of {list(models)}")
        model = models[system]
        searched = {} if model is None else _described(*self._searched)
        return Artefact(
            root=self.root,
            stage="evaluate",
            inputs={
                "system": system,
                "model": None if model is None else model.fingerprint,
                "corpus": self.corpus.checksum,
                "settings": describe(self.evaluation),
                **searched,
            },
        )


def _described(scoring: Scoring, decoding: Decoding) -> dict[str, object]:
    """The settings of a search, as an artefact's inputs name them."""
    return {"scoring": describe(scoring), "decoding": describe(decoding)}
