"""The main pipeline: corpus -> index -> stage 1 -> mined lists -> stage 2 -> measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ltrgr.corpus.records import Corpus
from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.identifiers.functions import Function
from ltrgr.identifiers.views import Family
from ltrgr.pipeline.agreement import disagreements
from ltrgr.pipeline.artefact import Artefact, ArtefactError
from ltrgr.pipeline.describe import describe
from ltrgr.pipeline.evaluate_stage import EvaluationSettings, evaluate_bm25, evaluate_retriever
from ltrgr.pipeline.index_stage import build_index, index_artefact
from ltrgr.pipeline.mine_stage import mine, mine_artefact
from ltrgr.pipeline.pretrain_stage import pretrain, pretrain_artefact
from ltrgr.pipeline.rank_stage import rank, rank_artefact
from ltrgr.pipeline.settings import (
    Backbone,
    ComputeSettings,
    IndexSettings,
    MineSettings,
    PretrainSettings,
    RankSettings,
    WandbSettings,
)
from ltrgr.pipeline.tracking import expect_online
from ltrgr.retrieval.retriever import Retriever
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.typed import SettingsError, refuse

MODELS = ("pretrain", "rank")
"""the systems that are a trained model"""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Every stage of one configuration; a stage builds what it needs and finds what is done.

    Two pipelines that differ only in stage-2 settings share index, stage 1 and mined lists.

    Raises:
        SettingsError: with one line for each setting that another one excludes (`agreement`).
    """

    root: Path
    corpus: Corpus
    family: Family
    backbone: Backbone
    scoring: ScoringSettings
    decoding: DecodingSettings
    indexing: IndexSettings
    pretraining: PretrainSettings
    mining: MineSettings
    ranking: RankSettings
    evaluation: EvaluationSettings
    compute: ComputeSettings
    tracking: WandbSettings
    name: str = "LTRGR"

    def __post_init__(self) -> None:
        refuse(disagreements(self))

    @cached_property
    def indexed(self) -> Artefact:
        """The index."""
        return index_artefact(
            root=self.root,
            corpus=self.corpus,
            family=self.family,
            backbone=self.backbone,
            kind=self.indexing.kind,
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
            before=None if self._before is None else self._before.pretrained,
        )

    @cached_property
    def _before(self) -> Pipeline | None:
        """The same pipeline without the further steps of stage 1, which start from its model."""
        if self.pretraining.further_steps is None:
            return None
        return replace(self, pretraining=replace(self.pretraining, further_steps=None))

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

    def index(self, *, check: bool = False, again: bool = False) -> Path:
        """Build the index unless it is there; with ``check``, which reads it all, undamaged.

        ``again``, here and below: do this stage again even if it is done.
        """
        if check:
            self.indexed.verified()
        return self.indexed.build(
            lambda directory: build_index(
                directory,
                corpus=self.corpus,
                family=self.family,
                backbone=self.backbone,
                settings=self.indexing,
                compute=self.compute,
            ),
            again=again,
        )

    def pretrain(self, *, again: bool = False) -> Path:
        """Train stage 1 unless it is done."""
        if self.pretrained.is_done() and not again:
            return self.pretrained.open()
        expect_training_questions(self.corpus)
        expect_online(self.tracking)
        index = self.index()
        self.indexed.verify()
        before = None if self._before is None else self._before.pretrain()
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
                before=before,
            ),
            seed=self.pretraining.seed,
            again=again,
        )

    def mine(self, *, again: bool = False) -> Path:
        """Mine rank lists unless they are there."""
        if self.mined.is_done() and not again:
            return self.mined.open()
        self.pretrain()  # before this artefact's own lock
        return self.mined.build(
            lambda directory: mine(
                directory,
                retriever=self.open("pretrain"),
                corpus=self.corpus,
                settings=self.mining,
                compute=self.compute,
            ),
            seed=self.mining.seed,
            again=again,
        )

    def rank(self, *, again: bool = False) -> Path:
        """Train stage 2 unless it is done."""
        if self.ranked.is_done() and not again:
            return self.ranked.open()
        expect_training_questions(self.corpus)
        expect_dev_questions(self.corpus)
        expect_online(self.tracking)
        mined = self.mine()
        for needed in (
            self.indexed,
            self.pretrained,
            self.mined,
        ):  # hours of work must not rest on changed bytes
            needed.verify()
        return self.ranked.build(
            lambda directory: rank(
                directory,
                artefact=self.ranked,
                retriever=self.open("pretrain"),
                mined=mined,
                corpus=self.corpus,
                pretraining=self.pretraining,
                settings=self.ranking,
                compute=self.compute,
                tracking=self.tracking,
                name=self.name,
            ),
            seed=self.ranking.seed,
            again=again,
        )

    def evaluate(self, system: str, *, again: bool = False) -> Path:
        """Measure ``bm25``, the model of stage 1 (``pretrain``) or of stage 2 (``rank``)."""
        artefact = self._evaluated(system)
        if artefact.is_done() and not again:
            artefact.verify()
            return artefact.open()
        if system == "bm25":
            return artefact.build(
                lambda directory: evaluate_bm25(
                    directory, corpus=self.corpus, settings=self.evaluation, compute=self.compute
                ),
                again=again,
            )
        retriever = self._searcher(system)
        return artefact.build(
            lambda directory: evaluate_retriever(
                directory,
                retriever=retriever,
                corpus=self.corpus,
                settings=self.evaluation,
                compute=self.compute,
                name=self.name,
            ),
            again=again,
        )

    def measured(self, system: str) -> Path | None:
        """What ``evaluate`` would give, if that is done.

        Raises:
            ArtefactError: a byte of it has changed, so its figures may be wrong.
        """
        return self.evaluate(system) if self._evaluated(system).is_done() else None

    def training_seconds(self, system: str) -> float:
        """What the last training of ``system`` took: further steps of stage 1, or stage 2 with the
        mining that it needs."""
        parts = [self.mined, self.ranked] if system == "rank" else [self.pretrained]
        return sum(part.seconds for part in parts)

    def open(self, system: str) -> Retriever:
        """The model of ``pretrain`` or ``rank``, trained if need be, with these search settings.

        A stage 2 that learned its scoring brings that along.

        Raises:
            ArtefactError: no such system.
        """
        self.model_artefact(system)
        model = self.pretrain() if system == "pretrain" else self.rank()
        self.index()  # a finished model stays good when its index is of an older format, or gone
        scoring = self._scoring_of(system)
        return Retriever.from_pretrained(
            model,
            device=self.compute.device,
            scoring=scoring,
            decoding=self.decoding,
            functions=self._functions,
            threads=self.compute.threads,
        )

    def model_artefact(self, system: str) -> Artefact:
        """Where the model of ``pretrain`` or ``rank`` lies, whether or not it is trained.

        Raises:
            ArtefactError: no such system.
        """
        if system not in MODELS:
            raise ArtefactError(f"system={system!r}: expected one of {list(MODELS)}")
        return self.pretrained if system == "pretrain" else self.ranked

    def _searcher(self, system: str) -> Retriever:
        """The same with the scoring and beams of ``evaluation``."""
        return self.open(system).with_(scoring=self.evaluation.scoring, decoding=self._decoding)

    @property
    def _functions(self) -> list[Function]:
        """What the user's own config names, and a finished model therefore may name."""
        own = self.scoring.transform
        return [*self.family.functions, *([] if own is None else [own])]

    def _scoring_of(self, system: str) -> ScoringSettings | None:
        """None: the one that the model's own directory holds, since it was learned."""
        return None if system == "rank" and self.ranking.learnable_parameters else self.scoring

    @property
    def _decoding(self) -> DecodingSettings:
        return replace(
            self.decoding, num_beams=self.evaluation.num_beams or self.decoding.num_beams
        )

    def _evaluated(self, system: str) -> Artefact:
        models = {"bm25": None, "pretrain": self.pretrained, "rank": self.ranked}
        if system not in models:
            raise ArtefactError(f"system={system!r}: expected one of {list(models)}")
        model = models[system]
        scoring = self.evaluation.scoring or self._scoring_of(system)
        searched = {} if model is None else _described(scoring, self._decoding)
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


def _described(scoring: ScoringSettings | None, decoding: DecodingSettings) -> dict[str, object]:
    """The settings of a search, as an artefact's inputs name them."""
    named = "learned by the model" if scoring is None else describe(scoring)
    return {"scoring": named, "decoding": describe(decoding)}


def expect_training_questions(corpus: Corpus) -> None:
    """Refuse to train where there is nothing to learn from.

    Raises:
        SettingsError: says what can be done.
    """
    if not corpus.train.queries:
        raise SettingsError(
            f"the corpus {corpus.name} has no training questions, which both stages need: name "
            "their qrels file with corpus.train=NAME; without any, `ltrgr evaluate system=bm25` "
            "and `ltrgr search retriever=DIR` with a model trained elsewhere work"
        )


def expect_dev_questions(corpus: Corpus) -> None:
    """Refuse a stage 2 that nothing could choose a checkpoint for.

    Raises:
        SettingsError: says what can be done.
    """
    if not corpus.dev.queries:
        raise SettingsError(
            f"the corpus {corpus.name} has no dev questions, by which stage 2 chooses its "
            "checkpoint: name their qrels file with corpus.dev=NAME, or let corpus.dev=null take a "
            "tenth of the training questions"
        )
