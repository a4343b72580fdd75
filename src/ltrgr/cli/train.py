"""``ltrgr.train``: the pipeline from Python, with the command line's config and artefacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltrgr.cli.arguments import quoted
from ltrgr.cli.as_typed import as_typed
from ltrgr.cli.assembly import assemble
from ltrgr.cli.config_faults import expect_config
from ltrgr.cli.errors import missing_values, own_cause, refused
from ltrgr.cli.main import config_directory
from ltrgr.cli.resolvers import register_resolvers
from ltrgr.cli.suggestions import explain
from ltrgr.cli.typos import refuse_misspelt, refuse_renamed, refuse_table
from ltrgr.corpus.kept import FOLDER, keep_corpus
from ltrgr.corpus.records import Corpus
from ltrgr.corpus.texts import Question, ask
from ltrgr.errors import CorpusError
from ltrgr.models.threads import torch_threads
from ltrgr.pipeline.pipeline import Pipeline
from ltrgr.retrieval.retriever import Retriever
from ltrgr.typed import SettingsError

COMMAND = "rank"
"""whose config it is"""


def train(
    corpus: Corpus | None = None,
    questions: Iterable[Question] | None = None,
    *,
    dev: Iterable[Question] | None = None,
    test: Iterable[Question] | None = None,
    root: str | Path = "runs",
    overrides: Sequence[str] = (),
) -> Retriever:
    """Index a corpus, train both stages on its questions, and return the retriever.

    It composes the config of ``ltrgr rank``, runs what is not done yet and finds the rest, as the
    command does. Weights & Biases is off unless ``overrides`` turn it on.

    Args:
        corpus: of ``Corpus.from_texts``, ``ltrgr.corpus.beir.read_beir`` or your own reader; None:
            the one that the config names.
        questions: (question, its passage's number or id, or several of them), in place of the
            training questions that ``corpus`` has. Then the corpus is kept as a BEIR folder in
            ``<root>/corpus/``, for the command line.
        dev: such questions to choose checkpoints by; None: a tenth of ``questions``.
        test: such questions for ``ltrgr evaluate`` and ``ltrgr table``.
        root: folder of the artefacts.
        overrides: as on the command line: ``["model=minilm", "pretrain.steps=400"]``.

    Raises:
        CorpusError: a question names no passage, or there is none to train on.
        SettingsError: an override is misspelt; says what is meant.
        LtrgrError: whatever the command line would report.
    """
    if questions is not None:
        if corpus is None:
            raise CorpusError("found questions without a corpus, expected train(corpus, questions)")
        corpus = keep_corpus(ask(corpus, questions, dev=dev, test=test), Path(root) / FOLDER)
    elif dev is not None or test is not None:
        raise CorpusError("found dev or test questions alone, expected train(corpus, questions)")
    elif corpus is not None and not corpus.train.queries:
        raise CorpusError(
            f"the corpus {corpus.name} has no training question; give train(corpus, questions) "
            "pairs such as ('who wrote it?', 0): a question and the number of its passage"
        )
    with torch_threads(None):  # what training sets is not the caller's
        ours = ["wandb.mode=disabled", f"root={quoted(str(root))}"]
        pipeline = _assembled([*ours, *overrides], corpus)
        return pipeline.open("rank")


def _assembled(overrides: Sequence[str], corpus: Corpus | None) -> Pipeline:
    """The pipeline of ``overrides``, every error of the config in one line of ours."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    conf = config_directory()
    with _hydra_put_aside():
        try:
            return assemble(_composed(overrides, conf=conf), corpus=corpus)
        except (HydraException, OmegaConfBaseException) as error:
            if (own := own_cause(error)) is not None:
                raise own from None
            told = refused(error) or explain(
                error, conf=conf, extra=None, command=COMMAND, overrides=overrides
            )
            raise SettingsError(told) from None  # it says all; Hydra's own takes a screen


def _composed(overrides: Sequence[str], *, conf: Path) -> Any:
    """The config of the command, checked as the command checks it."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf, open_dict

    register_resolvers()
    with initialize_config_dir(str(conf), version_base="1.3", job_name=COMMAND):
        cfg = compose(COMMAND, overrides=as_typed(overrides), return_hydra_config=True)
        with open_dict(cfg):
            hydra = cfg.pop("hydra")
        if missing := OmegaConf.missing_keys(cfg):
            raise missing_values(command=COMMAND, keys=sorted(missing))
        refuse_table(cfg, hydra, command=COMMAND)
        refuse_renamed(cfg)
        refuse_misspelt(cfg, hydra, command=COMMAND)
        expect_config(cfg, command=COMMAND)
        return cfg


@contextmanager
def _hydra_put_aside() -> Iterator[None]:
    """Hydra has one global state; a caller that is a Hydra application gets its own back."""
    from hydra.core.global_hydra import GlobalHydra

    callers = GlobalHydra.instance().hydra
    GlobalHydra.instance().hydra = None
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = callers  # another instance than before: composing makes one
